/** What errors of the system mean for a user: an end for sentences such as "... can't be written: ". */
const REASONS: Readonly<Record<string, string>> = {
  EACCES: "this user has no permission for it",
  EPERM: "this user has no permission for it",
  EROFS: "the disk can only be read",
  ENOENT: "there is no such file or folder",
  ENOTDIR: "a file stands where a folder should be",
  EISDIR: "a folder stands where a file should be",
  EEXIST: "a file stands where a folder should be",
  ENAMETOOLONG: "its name is too long",
  ELOOP: "its links lead in a circle",
  ENOSPC: "the disk is full",
  EDQUOT: "this user's share of the disk is full",
  EFBIG: "the file would be too large",
  EIO: "the disk has failed",
  EBUSY: "another program is using it",
  EMFILE: "this program has too many files open",
  ENFILE: "the system has too many files open",
  ENOMEM: "there is not enough memory",
  EADDRINUSE: "another program is using it",
  EADDRNOTAVAIL: "this machine does not have that address",
  EAFNOSUPPORT: "this machine has no addresses of that kind",
  EINVAL: "the system does not accept it",
  ECONNREFUSED: "nobody listens there",
  ECONNRESET: "the connection was cut off by the other side",
  ECONNABORTED: "the connection was cut off",
  EPIPE: "the other side has closed the connection",
  ENETUNREACH: "this machine has no network that leads there",
  ENETDOWN: "this machine's network is down",
  EHOSTUNREACH: "that machine does not answer: is it on, and in the same network?",
  EHOSTDOWN: "that machine does not answer: is it on?",
  ENOTFOUND: "there is no host of that name",
  ETIMEDOUT: "nobody answers: is the address right, does a firewall stand between?",
};

/** The same for errors that have no code of the system's, by their class. */
const BY_CLASS: Readonly<Record<string, string>> = {
  NotFound: "ENOENT",
  PermissionDenied: "EACCES",
  AlreadyExists: "EEXIST",
  NotADirectory: "ENOTDIR",
  IsADirectory: "EISDIR",
  TimeoutError: "ETIMEDOUT",
};

/** The same where there is only a message: of SQLite, and of looking up names. */
const BY_MESSAGE: readonly [RegExp, string][] = [
  [/disk is full/, "ENOSPC"],
  [/disk I\/O error/, "EIO"],
  [/unable to open database file|readonly database/, "EACCES"],
  [/database is locked/, "EBUSY"],
  [/lookup address/, "ENOTFOUND"],
];

/**
 * Why something failed, for people: no error numbers, no names of system calls, one line. What is not
 * known here is the error's own message.
 */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const code = (error as { code?: unknown }).code;
  const [, byMessage = ""] = BY_MESSAGE.find(([form]) => form.test(error.message)) ?? [];
  const known = [String(code), BY_CLASS[error.name] ?? "", byMessage]
    .map((name) => REASONS[name]).find((reason) => reason !== undefined);
  if (known !== undefined) return known;
  // "Bad message (os error 74): readfile '/x'"
  return error.message.replace(/ \(os error \d+\).*$/s, "").replaceAll(/\s*\n\s*/g, " ");
}
