import type {
  ClientRecord,
  Message,
  OperationRecord,
  RestrictionRecord,
  ServerRecords,
} from "../protocol/records.ts";
import type { Act, Operation } from "../protocol/roles.ts";
import type { AnswerType, Request } from "./session.ts";

/** A request without its id, whichever it is. */
export type Unnumbered<R> = R extends Request ? Omit<R, "id"> : never;

/** What a user can ask a server for: a method for each request, and what its answer says. */
export abstract class ChatRequests {
  /**
   * Sends a request and waits for its answer.
   *
   * @throws {RequestError} where the server refuses it
   * @throws {ExitError} where there is no session any more
   */
  protected abstract request<T extends AnswerType>(
    request: Unnumbered<ClientRecord>,
    answer: T,
  ): Promise<ServerRecords[T]>;

  /** So many messages are asked for in an overview at the login; undefined where none is wanted. */
  protected abstract get overviewWanted(): number | undefined;

  /** Names the user, and asks whether there is such an account. */
  identify(username: string): Promise<ServerRecords["identified"]> {
    return this.request({ type: "identify", username }, "identified");
  }

  /** Logs in to the account that was named. */
  authenticate(password: string): Promise<ServerRecords["welcome"]> {
    const overview = this.overviewWanted;
    return this.request({ type: "authenticate", password, overview }, "welcome");
  }

  /** Makes the account that was named. */
  register(password: string): Promise<ServerRecords["welcome"]> {
    const overview = this.overviewWanted;
    return this.request({ type: "register", password, overview }, "welcome");
  }

  /** The names of all active users, this one's too. */
  async users(): Promise<string[]> {
    return (await this.request({ type: "users" }, "users")).users;
  }

  /** A user's name as it was registered, and whether the user is active. */
  findUser(username: string): Promise<ServerRecords["user"]> {
    return this.request({ type: "user", username }, "user");
  }

  /** Sends a text to all other active users. @returns the message's id */
  async publish(text: string): Promise<number> {
    return (await this.request({ type: "public", text }, "sent")).message;
  }

  /** Sends a text to one user. The answer says whether it waits for the user's next login. */
  direct(to: string, text: string): Promise<ServerRecords["sent"]> {
    return this.request({ type: "direct", to, text }, "sent");
  }

  /** Joins a room, which is made where there is none of that name. */
  join(room: string): Promise<ServerRecords["joined"]> {
    return this.request({ type: "join", room }, "joined");
  }

  /** Leaves a room for good. */
  leave(room: string): Promise<ServerRecords["left"]> {
    return this.request({ type: "leave", room }, "left");
  }

  /** Sends a text to all members of a room. @returns the message's id */
  async say(room: string, text: string): Promise<number> {
    return (await this.request({ type: "say", room, text }, "sent")).message;
  }

  /** The rooms that the user may see. */
  rooms(): Promise<ServerRecords["rooms"]> {
    return this.request({ type: "rooms" }, "rooms");
  }

  /** Who is here, or in a room. */
  who(room?: string): Promise<ServerRecords["who"]> {
    return this.request({ type: "who", room }, "who");
  }

  /** Does something to a room, or to somebody in it. */
  async act(
    room: string,
    what: Act,
    { user, text }: { user?: string | undefined; text?: string | undefined } = {},
  ): Promise<void> {
    await this.request({ type: "act", room, what, user, text }, "acted");
  }

  /** The last messages that the user may see, in order, from and to another user, of a room, or all; and since when. */
  history(
    count: number,
    { with: other, room }: { with?: string | undefined; room?: string | undefined } = {},
  ): Promise<ServerRecords["history"]> {
    return this.request({ type: "history", count, with: other, room }, "history");
  }

  /** The last messages with a text in them, in order. */
  async search(text: string, count: number): Promise<Message[]> {
    return (await this.request({ type: "search", text, count }, "history")).messages;
  }

  /** Gives the account another password; its other sessions end. */
  async changePassword(old: string, password: string): Promise<void> {
    await this.request({ type: "password", old, new: password }, "password");
  }

  /** Does something as an operator of the server: to a user, to everybody, or to a message. */
  operate(
    what: Operation,
    order: {
      user?: string | undefined;
      address?: string | undefined;
      message?: number | undefined;
      seconds?: number | undefined;
      text?: string | undefined;
    },
  ): Promise<ServerRecords["operated"]> {
    return this.request({ type: "operate", what, ...order }, "operated");
  }

  /** What operators did last, in order. */
  async operations(count: number): Promise<OperationRecord[]> {
    return (await this.request({ type: "operations", count }, "operations")).operations;
  }

  /** Who is kept from writing, or from being here. */
  async restrictions(): Promise<RestrictionRecord[]> {
    return (await this.request({ type: "restrictions" }, "restrictions")).restrictions;
  }

  /** Who a user is. */
  whois(user: string): Promise<ServerRecords["whois"]> {
    return this.request({ type: "whois", user }, "whois");
  }

  /** How far a message got that the user sent. */
  status(message: number): Promise<ServerRecords["status"]> {
    return this.request({ type: "status", message }, "status");
  }
}
