/** What an embedded meeting and the site around it say to each other, as OpenVidu Meet does (contract 7.6.4). */

export type LeftReason =
  | "voluntary_leave" | "network_disconnect" | "server_shutdown" | "participant_kicked"
  | "meeting_ended" | "meeting_ended_by_self" | "duplicate_identity" | "unknown";

/** From the meeting. */
export interface Events {
  joined: { readonly roomId: string; readonly participantIdentity: string };
  left: { readonly roomId: string; readonly participantIdentity: string; readonly reason: LeftReason };
  closed: Record<string, never>;
}

/** To the meeting. */
export interface Commands {
  endMeeting: undefined;
  leaveRoom: undefined;
  kickParticipant: { readonly participantIdentity: string };
}

export type EventName = keyof Events;
export type CommandName = keyof Commands;

export interface EventMessage<N extends EventName = EventName> {
  readonly event: N;
  readonly payload: Events[N];
}

export interface CommandMessage {
  readonly command: CommandName;
  readonly payload?: unknown;
}

const EVENTS: readonly EventName[] = ["joined", "left", "closed"];

export function isEvent(data: unknown): data is EventMessage {
  return typeof data === "object" && data !== null && EVENTS.some((name) => name === (data as Partial<EventMessage>).event);
}

const COMMANDS: readonly CommandName[] = ["endMeeting", "leaveRoom", "kickParticipant"];

export function isCommand(data: unknown): data is CommandMessage {
  return typeof data === "object" && data !== null && COMMANDS.some((name) => name === (data as Partial<CommandMessage>).command);
}

/** After these one comes back rather than goes on. */
const COMES_BACK: readonly LeftReason[] = ["network_disconnect", "server_shutdown"];

export const leftForGood = (reason: LeftReason): boolean => !COMES_BACK.includes(reason);

/** An attribute without a value is true; so is a parameter. */
export const isOn = (value: string | null): boolean => value !== null && value !== "false";
