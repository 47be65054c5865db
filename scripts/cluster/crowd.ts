/** What people do in the busiest hour. */
export interface Habits {
  /** Which part of all users is online. */
  online: number;
  /** In how many rooms a user is. */
  roomsPerUser: number;
  /** How many messages a user who is online sends an hour. */
  messagesPerHour: number;
  /** Which part of them goes to one user. */
  direct: number;
  /** How often a user comes or goes an hour. */
  comingsPerHour: number;
}

/** What people do in the busiest hour. Assumptions; each can be changed here. */
export const HABITS: Habits = {
  online: 0.2,
  roomsPerUser: 8,
  messagesPerHour: 20,
  direct: 0.25,
  comingsPerHour: 2,
};

/** Users and rooms, in the busiest hour. */
export interface Crowd {
  habits: Habits;
  users: number;
  online: number;
  /** The sizes of all rooms, in members. */
  rooms: Float64Array;
  median: number;
  largest: number;
  /** Events of all users a second: messages, acknowledgements, logins. */
  events: number;
  /** Those of them that are messages to a room. */
  roomMessages: number;
  /** Messages times those who get them, a second. */
  deliveries: number;
  /** How many users come a second. */
  comings: number;
  /** Who talks in rooms, each room's added up. */
  talkers: number;
}

/** Half of all rooms have fewer members than this. */
const MEDIAN = 6;
/** How far sizes are spread: the standard deviation of their logarithm. */
const SPREAD = 1.8;
/** No room is larger. */
const LARGEST = 250_000;
/** Who reads a large room says little in it: members beyond so many add no messages. */
export const TALKING = 500;

/**
 * Draws rooms until all users are in as many as they like. Sizes are log-normal: most are small, a few are very large,
 * as in public chats; in a room of m members min(m, 500) talk.
 *
 * @param seed of the random numbers: the same crowd each time
 */
export function drawCrowd(
  users: number,
  { habits, seed }: { habits: Habits; seed: number },
): Crowd {
  const random = mulberry32(seed);
  const wanted = users * habits.roomsPerUser;
  const sizes: number[] = [];
  const cap = Math.min(LARGEST, users);
  for (let members = 0; members < wanted;) {
    const size = Math.min(cap, Math.max(2, Math.round(MEDIAN * Math.exp(SPREAD * normal(random)))));
    sizes.push(size);
    members += size;
  }
  const rooms = Float64Array.from(sizes);
  const online = Math.round(users * habits.online);
  const messages = online * habits.messagesPerHour / 3_600;
  const roomMessages = messages * (1 - habits.direct);
  const direct = messages * habits.direct;
  // A room gets messages as it has talkers, and each goes to all of its members that are online.
  let talkers = 0;
  let heard = 0;
  for (const size of rooms) {
    const talking = Math.min(size, TALKING);
    talkers += talking;
    heard += talking * (size - 1) * habits.online;
  }
  const comings = online * habits.comingsPerHour / 3_600;
  return {
    habits,
    users,
    online,
    rooms,
    median: rooms.toSorted()[rooms.length >> 1]!,
    largest: rooms.reduce((most, size) => Math.max(most, size), 0),
    // A direct message has its acknowledgement; who comes is two events, and one who goes.
    events: roomMessages + 2 * direct + 2 * comings,
    roomMessages,
    deliveries: roomMessages * heard / talkers + direct,
    comings,
    talkers,
  };
}

/** Numbers from 0 to 1: the same ones for the same seed. */
function mulberry32(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** A number of the normal distribution (Box and Muller). */
function normal(random: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}
