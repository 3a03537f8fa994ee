"use strict";

const FIRST_ANSWER_MS = 10000;
const LONGEST_ANSWER_MS = 60000;

/** The server refused what was asked; asking again would not help. */
class Refused extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }

  /** The session is over or another has begun: what was asked may be asked again after signing in. */
  get needsSession() {
    return this.status === 401 || this.status === 403;
  }
}

/** The server could not be reached, or is not able to answer just now; it may be later. */
class Unreachable extends Error {
  constructor(message, seconds = 0) {
    super(message);
    this.seconds = seconds;
  }
}

/** Ask the server once, and wait for the answer at most so many milliseconds; throw Refused or Unreachable. */
async function ask(path, longest, { read = (answer) => answer.json(), ...options } = {}) {
  let answer;
  try {
    answer = await fetch(path, { cache: "no-store", signal: AbortSignal.timeout(longest), ...options });
    if (answer.ok || answer.type === "opaqueredirect") return await read(answer);
  } catch {
    throw new Unreachable("The server cannot be reached.");
  }
  const { error = `The server answered ${answer.status}.` } = await answer.json().catch(() => ({}));
  if (answer.status === 408 || answer.status === 429 || answer.status >= 500) {
    throw new Unreachable(error, Number(answer.headers.get("Retry-After")) || 0);
  }
  throw new Refused(answer.status, error);
}

/**
 * Asks again until the server answers, with more patience each time: over a slow network a picture needs it.
 * `waiting(trouble, seconds)` hears of every wait, `waiting(null)` when nothing waits any more; `now()` ends waits at once.
 */
class Persistence {
  static LONGEST_WAIT_S = 15;

  constructor(waiting) {
    this.waiting = waiting;
    this.inTrouble = 0;
    this.wake = new Set();
    addEventListener("online", () => this.now());
  }

  now() {
    for (const wake of this.wake) wake();
  }

  async ask(path, options) {
    let attempt = 0;
    try {
      for (; ; attempt += 1) {
        try {
          return await ask(path, Math.min(FIRST_ANSWER_MS * 2 ** attempt, LONGEST_ANSWER_MS), options);
        } catch (trouble) {
          if (!(trouble instanceof Unreachable)) throw trouble;
          if (attempt === 0) this.inTrouble += 1;
          const seconds = Math.max(Math.min(2 ** attempt, Persistence.LONGEST_WAIT_S), trouble.seconds);
          this.waiting(trouble, seconds);
          await this.sleep(seconds);
        }
      }
    } finally {
      if (attempt > 0) {
        this.inTrouble -= 1;
        if (this.inTrouble === 0) this.waiting(null);
      }
    }
  }

  sleep(seconds) {
    return new Promise((resolve) => {
      const wake = () => {
        clearTimeout(timer);
        this.wake.delete(wake);
        resolve();
      };
      const timer = setTimeout(wake, 1000 * seconds);
      this.wake.add(wake);
    });
  }
}

/**
 * Keeps a vote until the server says that it is saved: through failures of the network, a closed page and the end
 * of a session. A vote keeps its submission number, so that the server counts it once however often it arrives.
 */
class Outbox {
  /** `voter` tells this rater of this study: another study at the same address may have raters of the same names. */
  constructor(voter, csrf, persistence) {
    this.key = `vote of ${voter}`;
    this.csrf = csrf;
    this.persistence = persistence;
  }

  /** The vote that the server has not acknowledged, if there is one. */
  get kept() {
    return JSON.parse(localStorage.getItem(this.key));
  }

  /** Send a vote; return the server's answer, or throw Refused. */
  async send(vote) {
    localStorage.setItem(this.key, JSON.stringify(vote));
    try {
      const answer = await this.persistence.ask("/api/votes", {
        method: "POST",
        headers: { "Content-Type": "application/json", "X-CSRF-Token": this.csrf },
        body: JSON.stringify(vote),
      });
      localStorage.removeItem(this.key);
      return answer;
    } catch (trouble) {
      if (!trouble.needsSession) localStorage.removeItem(this.key);
      throw trouble;
    }
  }
}
