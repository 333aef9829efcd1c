export { type BindingMessage, hasIntegrity, isStun, MAX_USERNAME, parse, writeBindingSuccess } from './stun.ts';
