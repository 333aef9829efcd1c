// What both pages share: finding elements, the token's way into the page, problems and states in words.

import type { EventsStatus } from './stage-client.ts';
import { readToken, type Token } from './token.ts';
import { explain } from './words.ts';

/** The element with this id; a page without it is broken. */
export function byId<E extends HTMLElement = HTMLElement>(id: string): E {
  const element = document.getElementById(id);
  if (!element) throw new Error(`the page has no element #${id}`);
  return element as E;
}

/** Shows a problem in words, and the code for those who look for it. */
export function showProblem(code: string, message = ''): void {
  const { what, next } = explain(code, message);
  const box = byId('problem');
  box.dataset.code = code;
  byId('problem-what').textContent = what;
  byId('problem-next').textContent = next;
  byId('problem-detail').textContent = message && message !== what ? `The server says: ${message}` : '';
  box.hidden = false;
}

/** Takes the problem away. */
export function clearProblem(): void {
  const box = byId('problem');
  box.hidden = true;
  delete box.dataset.code;
}

const statusWords: Record<EventsStatus | 'idle', string> = {
  idle: 'Not connected',
  connecting: 'Connecting …',
  connected: 'Connected',
  reconnecting: 'Connection lost, trying again …',
  ended: 'Disconnected',
};

/** Shows how the events socket is. */
export function showStatus(status: EventsStatus | 'idle'): void {
  const element = byId('status');
  element.dataset.state = status;
  element.textContent = statusWords[status];
}

/** Calls back with each usable token: the one in the fragment at once, then each that is pasted. */
export function onToken(use: (token: Token) => void): void {
  const field = byId<HTMLInputElement>('token');
  const take = (text: string): boolean => {
    const token = readToken(text, new Date());
    if (typeof token === 'string') {
      showProblem(token);
      return false;
    }
    clearProblem();
    byId('token-form').hidden = true;
    use(token);
    return true;
  };
  byId<HTMLFormElement>('token-form').addEventListener('submit', (event) => {
    event.preventDefault();
    if (take(field.value)) keepInAddress(field.value);
    else field.focus();
  });
  window.addEventListener('hashchange', () => window.location.reload());
  const given = new URLSearchParams(window.location.hash.slice(1)).get('token') ?? '';
  if (given !== '') take(given);
}

/** So that a reload comes back to the stage. The fragment never leaves the browser. */
function keepInAddress(text: string): void {
  const jwt = /[\w-]+\.[\w-]+\.[\w-]+/.exec(text)?.[0] ?? '';
  window.history.replaceState(null, '', `#token=${jwt}`);
}

/** `name` of a participant for people: its user id, else its own id. */
export const nameOf = ({ id, userId }: { id: string; userId: string }): string => userId || id;

/** Shows who the token says one is, and in which stage. */
export function showIdentity(token: Token): void {
  byId('identity').textContent = `${nameOf({ id: token.participantId, userId: token.userId })} in ${token.topic}`;
  byId('identity').title = token.stageArn;
}
