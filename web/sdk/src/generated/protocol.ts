// The wire types of Connect, generated from the `protocol` crate. Do not edit:
// UPDATE_TYPESCRIPT=1 cargo test -p protocol

export type RoomId = string;

export type UserId = string;

export type ParticipantId = string;

export type PollId = number;

export type BreakoutId = number;

export type NodeId = string;

export type Region = string;

export type Attempt = number;

export type Source = "microphone" | "camera" | "screen" | "screenAudio";

export type MediaKind = "audio" | "video";

export type Codec = "opus" | "vp8" | "h264" | "vp9" | "av1";

export type TrackId = { participant: ParticipantId, source: Source, };

export type Publishing = { microphone: boolean, camera: boolean, screen: boolean, 
/**
 * The codec of its video; absent while it sends none, and from clients that do not say.
 */
codec: Codec | null, };

export type Caps = { 
/**
 * Sound of any source.
 */
audio: boolean, 
/**
 * Pictures of any source.
 */
video: boolean, 
/**
 * The screen and its sound, as far as the two above allow them.
 */
screen: boolean, 
/**
 * Captions of what is said.
 */
captions: boolean, 
/**
 * The highest camera layer that is forwarded; every one if absent.
 */
maxLayer: number | null, 
/**
 * Most bits per second of all video together that are forwarded; no limit if absent.
 */
maxBitrate: number | null, };

export type RegisterRequest = { email: string, password: string, 
/**
 * What others see: one line that shows something, without characters that turn the text around it.
 */
name: string, };

export type LoginRequest = { email: string, password: string, };

export type RefreshRequest = { 
/**
 * Whose session it is meant to be. The tabs of a browser share the cookie, and another one may have signed in as
 * somebody else: then it is refused, and nothing changes.
 */
user: UserId | null, };

export type User = { id: UserId, email: string, name: string, };

export type Session = { 
/**
 * A JWT to send as `Authorization: Bearer`.
 */
token: string, 
/**
 * Seconds until the token expires.
 */
expiresIn: number, user: User, };

export type SignIn = { id: string, 
/**
 * When it began, in Unix milliseconds; absent where that was not noted.
 */
createdAt?: number, 
/**
 * When it was used last, in Unix milliseconds, as far as it is known: a session renews its token each hour.
 */
usedAt: number, 
/**
 * In coarse words, such as `Firefox on Linux`; empty where that was not noted.
 */
browser: string, 
/**
 * Whether it is the one that asks.
 */
current: boolean, };

export type SignInList = { 
/**
 * The latest used first.
 */
sessions: Array<SignIn>, };

export type PasswordChange = { 
/**
 * The one of until now.
 */
password: string, newPassword: string, };

export type ResetRequest = { email: string, };

export type NewPassword = { 
/**
 * What stands behind the `#` of the link.
 */
token: string, password: string, };

export type Verification = { 
/**
 * What stands behind the `#` of the link.
 */
token: string, };

export type AccountDeletion = { 
/**
 * Needed if the account has one.
 */
password: string, };

export type AccountDetails = { 
/**
 * When it was made, in Unix milliseconds; absent where that was not noted.
 */
createdAt?: number, 
/**
 * When it was shown that the address is its holder's.
 */
verifiedAt?: number, 
/**
 * Whether one signs in by a password.
 */
hasPassword: boolean, 
/**
 * Whether mail can be sent here at all.
 */
mail: boolean, id: UserId, email: string, name: string, };

export type Visited = { room: RoomId, 
/**
 * When they came last, in Unix milliseconds.
 */
at: number, };

export type AccountExport = { account: AccountDetails, sessions: Array<SignIn>, 
/**
 * Rooms that are its own.
 */
rooms: Array<Room>, 
/**
 * Rooms that it was in, the latest first.
 */
visits: Array<Visited>, };

export type SignInWays = { providers: Array<SignInProvider>, };

export type SignInProvider = { id: string, 
/**
 * What people know it by.
 */
name: string, };

export type CreateRoomRequest = { 
/**
 * One line that shows something, without characters that turn the text around it.
 */
name: string, 
/**
 * Where the room is to differ from the default.
 */
settings?: SettingsChange, 
/**
 * The regions that its media and what is stored of it stay in; all if there are none. It is so for good.
 */
regions?: Array<Region>, };

export type Room = { id: RoomId, name: string, owner: UserId, 
/**
 * Unix time in milliseconds.
 */
createdAt: number, 
/**
 * How many participants are in the room now.
 */
people: number, };

export type RoomDetails = { 
/**
 * As how many participants the caller is in the room now, those left out of whom nothing is heard.
 */
yours: number, 
/**
 * Whether the caller comes to watch alone, as the viewers of a webinar do: with no need for a microphone or a camera.
 */
watches: boolean, id: RoomId, name: string, owner: UserId, 
/**
 * Unix time in milliseconds.
 */
createdAt: number, 
/**
 * How many participants are in the room now.
 */
people: number, };

export type RoomList = { rooms: Array<Room>, };

export type ListedRoom = { id: RoomId, name: string, 
/**
 * How many participants are in the room now.
 */
people: number, 
/**
 * Whether nobody comes any more.
 */
locked: boolean, 
/**
 * Whether a password is asked for.
 */
password: boolean, };

export type DirectoryPage = { 
/**
 * By name.
 */
rooms: Array<ListedRoom>, 
/**
 * Ask for what is `after` this; absent when there is no more.
 */
next: string | null, };

export type Door = { 
/**
 * The room's name.
 */
name: string, 
/**
 * Whether it is a webinar: who comes watches, and may ask for the stage.
 */
webinar: boolean, 
/**
 * Whether people without an account may come.
 */
guests: boolean, 
/**
 * Whether who comes waits to be let in.
 */
lobby: boolean, 
/**
 * Whether nobody comes any more.
 */
locked: boolean, 
/**
 * Whether a password is asked for.
 */
password: boolean, 
/**
 * From when on one may come, in Unix milliseconds; 0 if from the beginning.
 */
opensAt: number, };

export type GuestRequest = { 
/**
 * What the others see.
 */
name: string, 
/**
 * Whether this is somebody else than came by this browser before. Who stays out of the room, or was forbidden to send
 * something there, stays who they were.
 */
fresh?: boolean, };

export type GuestSession = { 
/**
 * A JWT to send as `Authorization: Bearer`, good for this room alone.
 */
token: string, 
/**
 * Seconds until the token expires. There is no other way to renew it than to come anew.
 */
expiresIn: number, user: UserId, 
/**
 * The name as the others see it.
 */
name: string, };

export type JoinRequest = { 
/**
 * The region the client would like its media node in.
 */
region: Region | null, 
/**
 * Round-trip times that the client measured, in milliseconds per region.
 */
roundTrips: Record<string, number>, 
/**
 * The first offer, to have the answer right after the welcome instead of a round trip later. It counts as sent: the
 * WebSocket brings its answer, its refusal, or the wish for a new one.
 */
offer: Offer | null, 
/**
 * The video codecs that the client decodes.
 */
decodes: Array<Codec>, 
/**
 * The call goes on here: once the WebSocket is open, everything else that the user has in the room ends.
 */
moveHere: boolean, 
/**
 * The room's password, if it has one.
 */
password: string | null, 
/**
 * Which trace the join belongs to (W3C Trace Context). What is none is passed over.
 */
traceparent?: string | null, };

export type JoinReport = { 
/**
 * The one that was sent with the join (W3C Trace Context): the span is that of the whole join.
 */
traceparent: string, outcome: JoinOutcome, 
/**
 * How long ago the click was when this was sent.
 */
age: number, 
/**
 * When it had come to what it came to.
 */
took: number, steps: JoinSteps, };

export type JoinOutcome = "joined" | "failed" | "givenUp";

export type JoinSteps = { 
/**
 * The offer was ready.
 */
offer?: number, 
/**
 * The API has answered.
 */
ticket?: number, 
/**
 * The WebSocket was open.
 */
open?: number, welcome?: number, 
/**
 * The node's answer was here.
 */
answer?: number, 
/**
 * ICE has found a way.
 */
ice?: number, 
/**
 * DTLS was done.
 */
connected?: number, 
/**
 * The data channel was open.
 */
ready?: number, 
/**
 * The node has said what it sends.
 */
slots?: number, 
/**
 * The first frame of a picture was decoded.
 */
"first-frame"?: number, };

export type ChatExport = { 
/**
 * The oldest first.
 */
lines: Array<ChatMessage>, 
/**
 * Ask for what is `after` this; absent when there is no more.
 */
next: string | null, };

export type JoinResponse = { room: Room, participant: ParticipantId, 
/**
 * Admits a WebSocket within 60 s, again if its welcome was lost. It is already part of `url`.
 */
ticket: string, 
/**
 * Path and query of the signaling WebSocket, relative to the API's origin.
 */
url: string, 
/**
 * As [`IceServers`] has them, of the regions that the room is bound to.
 */
iceServers: Array<IceServer>, 
/**
 * Seconds until the credentials in them are good no more.
 */
iceExpiresIn: number, };

export type IceServers = { iceServers: Array<IceServer>, 
/**
 * Seconds until the credentials in them are good no more.
 */
expiresIn: number, 
/**
 * A media node of each region, as `address:port`: it answers STUN bindings, so that the way to it can be measured.
 */
probes: { [key in Region]: Array<string> }, };

export type IceServer = { urls: Array<string>, username?: string, credential?: string, };

export type KeyScope = "rooms:read" | "rooms:write" | "tokens:write" | "moderation:write" | "data:write" | "webhooks:write";

export type ApiKey = { id: string, name: string, scopes: Array<KeyScope>, 
/**
 * Unix time in milliseconds.
 */
createdAt: number, 
/**
 * To the minute; absent if it never was.
 */
lastUsedAt: number | null, };

export type ApiKeyList = { 
/**
 * The latest first.
 */
keys: Array<ApiKey>, };

export type CreateKeyRequest = { 
/**
 * What it is for, in words.
 */
name: string, scopes: Array<KeyScope>, };

export type CreatedKey = { 
/**
 * To be sent as `Authorization: Bearer`.
 */
secret: string, id: string, name: string, scopes: Array<KeyScope>, 
/**
 * Unix time in milliseconds.
 */
createdAt: number, 
/**
 * To the minute; absent if it never was.
 */
lastUsedAt: number | null, };

export type OwnRooms = { 
/**
 * By id.
 */
rooms: Array<Room>, 
/**
 * Ask for what is `after` this; absent when there is no more.
 */
next: RoomId | null, };

export type OwnRoom = { settings: Settings, id: RoomId, name: string, owner: UserId, 
/**
 * Unix time in milliseconds.
 */
createdAt: number, 
/**
 * How many participants are in the room now.
 */
people: number, };

export type ChangeRoomRequest = { 
/**
 * What is absent stays as it is.
 */
settings: SettingsChange, };

export type ParticipantList = { 
/**
 * Who came first is first.
 */
participants: Array<Participant>, };

export type CreateTokenRequest = { 
/**
 * What the others see.
 */
name: string, 
/**
 * What they are in the room; absent for what any guest is there.
 */
role?: Role, 
/**
 * Who they are to the developer, in at most 128 bytes: the same one is the same user of the room again. It is shown to nobody.
 */
identity?: string, 
/**
 * For how many seconds the token lets them in, from [`MIN_TOKEN_SECONDS`] to [`MAX_TOKEN_SECONDS`]. Who is inside stays.
 */
expiresIn?: number, };

export type RoomToken = { 
/**
 * To be sent as `Authorization: Bearer` to `POST /api/rooms/{id}/join`.
 */
token: string, 
/**
 * Seconds until the token expires.
 */
expiresIn: number, 
/**
 * Who they are in the room.
 */
user: UserId, 
/**
 * The name as the others see it.
 */
name: string, role: Role, };

export type Moderation = { "type": "mute", participant: ParticipantId, } | { "type": "unmute", participant: ParticipantId, } | { "type": "remove", participant: ParticipantId, } | { "type": "ban", participant: ParticipantId, } | { "type": "unban", user: UserId, } | { "type": "lock" } | { "type": "unlock" } | { "type": "end" };

export type SendDataRequest = { 
/**
 * At most [`MAX_DATA_BYTES`]. What it means is between the developer and their pages.
 */
data: string, 
/**
 * Whom it is for; absent for everybody in the room.
 */
to?: ParticipantId, };

export type EventKind = "room.started" | "room.ended" | "participant.joined" | "participant.left" | "chat.message" | "test";

export type Endpoint = { id: string, url: string, events: Array<EventKind>, 
/**
 * Unix time in milliseconds.
 */
createdAt: number, 
/**
 * Since when nothing arrives there; absent if the latest did.
 */
failingSince: number | null, 
/**
 * Why nothing is sent there any more, until it is enabled again.
 */
disabled: string | null, };

export type EndpointList = { 
/**
 * The oldest first.
 */
webhooks: Array<Endpoint>, };

export type CreateEndpointRequest = { 
/**
 * Of a web server that everybody reaches, by https.
 */
url: string, events: Array<EventKind>, };

export type ChangeEndpointRequest = { url?: string, events?: Array<EventKind>, 
/**
 * `true` has one that was disabled be tried again.
 */
enabled?: boolean, };

export type EndpointSecret = { 
/**
 * `whsec_` and a key in base64, as Standard Webhooks has it.
 */
secret: string, id: string, url: string, events: Array<EventKind>, 
/**
 * Unix time in milliseconds.
 */
createdAt: number, 
/**
 * Since when nothing arrives there; absent if the latest did.
 */
failingSince: number | null, 
/**
 * Why nothing is sent there any more, until it is enabled again.
 */
disabled: string | null, };

export type DeliveryList = { 
/**
 * The latest first, 100 at most.
 */
deliveries: Array<Delivery>, };

export type Delivery = { 
/**
 * The same for each try.
 */
id: string, event: EventKind, 
/**
 * When it happened, in Unix milliseconds.
 */
at: number, state: DeliveryState, tries: number, 
/**
 * When it is tried next.
 */
due: number | null, 
/**
 * What was answered last.
 */
status: number | null, 
/**
 * What went wrong last.
 */
error: string | null, };

export type DeliveryState = "waiting" | "delivered" | "givenUp";

export type WebhookMessage = { type: EventKind, 
/**
 * When it happened, in Unix milliseconds.
 */
timestamp: number, data: WebhookData, };

export type WebhookData = { 
/**
 * Where.
 */
room?: WebhookRoom, 
/**
 * Who.
 */
participant?: WebhookParticipant, 
/**
 * Why they left.
 */
reason?: LeaveReason, 
/**
 * What they have written.
 */
message?: ChatMessage, };

export type WebhookRoom = { id: RoomId, name: string, };

export type WebhookParticipant = { id: ParticipantId, user: UserId, name: string, role: Role, guest: boolean, 
/**
 * Unix time in milliseconds.
 */
joinedAt: number, };

export type Problem = { 
/**
 * A URI reference that names the kind of problem, e.g. `/problems/wrong-credentials`.
 */
type: string, 
/**
 * The kind in words.
 */
title: string, status: number, 
/**
 * What happened this time and what to do about it.
 */
detail: string, 
/**
 * The fields of the request that are at fault.
 */
errors?: Array<FieldError>, };

export type FieldError = { field: string, message: string, };

export type Knock = { participant: ParticipantId, name: string, 
/**
 * Whether they have no account.
 */
guest: boolean, 
/**
 * Since when they wait, in Unix milliseconds.
 */
since: number, };

export type Banned = { user: UserId, 
/**
 * What they were called then.
 */
name: string, };

export type ClientMessage = { "type": "offer", attempt: Attempt, sdp: string, 
/**
 * Which sending m-line is which source; all other m-lines are receive slots.
 */
sources: Array<SourceMid>, } | { "type": "restartIce", attempt: Attempt, sdp: string, } | { "type": "publishing", publishing: Publishing, } | { "type": "chat", nonce: string, text: string, 
/**
 * The line that it answers.
 */
replyTo?: string, 
/**
 * Whom it mentions. Who is not in the room is left out.
 */
mentions?: Array<UserId>, 
/**
 * The one other user who is to see it.
 */
to?: UserId, 
/**
 * Whether everybody is to see it, in which breakout room ever they are. Who keeps order says so.
 */
broadcast?: boolean, 
/**
 * The breakout room in which it was written, `null` for the main one: it is said there or nowhere. Absent from older
 * clients, and from who does not mind.
 */
breakout?: BreakoutId | null, } | { "type": "editChat", id: string, text: string, } | { "type": "deleteChat", id: string, } | { "type": "reactToChat", id: string, reaction: ChatReaction, on: boolean, } | { "type": "chatHistory", before: string, limit: number, } | { "type": "readChat", id: string, } | { "type": "typing" } | { "type": "mediaFailed", attempt: Attempt, } | { "type": "setCaps", participant: ParticipantId, caps: CapsChange, } | { "type": "turnOff", participant: ParticipantId, source: Source, } | { "type": "askToUnmute", participant: ParticipantId, } | { "type": "muteAll", mute: MuteAll, } | { "type": "remove", participant: ParticipantId, } | { "type": "setRole", participant: ParticipantId, role: Role, } | { "type": "configure", change: SettingsChange, } | { "type": "createPoll", nonce: string, draft: PollDraft, } | { "type": "vote", poll: PollId, choices: Array<number>, } | { "type": "closePoll", poll: PollId, } | { "type": "deletePoll", poll: PollId, } | { "type": "showVotes", poll: PollId, } | { "type": "raiseHand" } | { "type": "lowerHand", participant: ParticipantId, } | { "type": "lowerAllHands" } | { "type": "askToSpeak", on: boolean, } | { "type": "refuseToSpeak", participant: ParticipantId | null, } | { "type": "react", reaction: Reaction, } | { "type": "spotlight", participant: ParticipantId, on: boolean, } | { "type": "openNotes", after: number, author: number | null, } | { "type": "writeNotes", nonce: string, update: string, } | { "type": "pointInNotes", at: string | null, } | { "type": "closeNotes" } | { "type": "openBreakouts", draft: BreakoutDraft, } | { "type": "moveToBreakout", participant: ParticipantId, breakout: BreakoutId | null, } | { "type": "limitBreakouts", seconds: number | null, } | { "type": "closeBreakouts" } | { "type": "noMedia", attempt: Attempt, } | { "type": "ban", participant: ParticipantId, } | { "type": "unban", user: UserId, } | { "type": "admit", participant: ParticipantId | null, } | { "type": "refuse", participant: ParticipantId | null, } | { "type": "setPassword", password: string | null, } | { "type": "takeAccount", token: string, } | { "type": "moveHere" } | { "type": "leave" } | { "type": "pageGone" };

export type SourceMid = { mid: string, source: Source, };

export type IceCredentials = { ufrag: string, pwd: string, };

export type Offer = { attempt: Attempt, sdp: string, 
/**
 * Which sending m-line is which source; all other m-lines are receive slots.
 */
sources: Array<SourceMid>, };

export type ServerMessage = { "type": "welcome", 
/**
 * Sequence number of the last event that this state, or the replay after it, builds on.
 */
seq: number, you: ParticipantId, 
/**
 * Admits a WebSocket to go on as this participant: `?resume=TOKEN&since=SEQ`. What admitted the one before
 * still does until the client says something here: this welcome may be lost.
 */
resumeToken: string, 
/**
 * After a loss, dial again at a random moment within this time (milliseconds): as much as the room can take, when
 * everybody comes back at once.
 */
redialWithinMs: number, 
/**
 * The whole state, or `null` when the connection was resumed: then every event after `since` follows.
 */
snapshot: Snapshot | null, } | { "type": "waiting", you: ParticipantId, 
/**
 * As that of the welcome.
 */
resumeToken: string, redialWithinMs: number, } | { "type": "knocking", people: Array<Knock>, } | { "type": "banned", people: Array<Banned>, } | { "type": "event", seq: number, event: RoomEvent, } | { "type": "answer", attempt: Attempt, sdp: string, node: NodeId, region: Region, } | { "type": "iceRestarted", attempt: Attempt, credentials: IceCredentials, } | { "type": "renegotiate", attempt: Attempt, reason: string, } | { "type": "checkMedia", attempt: Attempt, } | { "type": "chatAccepted", nonce: string, id: string, } | { "type": "chatPage" } & ChatPage | { "type": "chatRead", id: string, } | { "type": "chatShown", lines: Array<ChatMessage>, 
/**
 * Ask for what is before this; absent where there is nothing before.
 */
before?: string, } | { "type": "typing", participant: ParticipantId, } | { "type": "askedToUnmute", participant: ParticipantId, by: ParticipantId, } | { "type": "pollCreated", nonce: string, poll: PollId, } | { "type": "ownVotes", votes: Array<OwnVote>, } | { "type": "pollVotes", poll: PollId, votes: Array<NamedVote>, } | { "type": "notes" } & NotesPage | { "type": "notesWritten" } & NotesUpdate | { "type": "notesTaken", nonce: string, number: number, } | { "type": "notesRewritten" } | { "type": "notesPointer" } & NotesPointer | { "type": "reacted", participant: ParticipantId, reaction: Reaction, } | { "type": "data", data: string, } | { "type": "error", code: ErrorCode, message: string, 
/**
 * The nonce of the refused chat line, if it was one.
 */
nonce: string | null, 
/**
 * The `type` of the refused message, where it could be read.
 */
of: string | null, 
/**
 * The same message may be taken after this time (milliseconds); absent if it never will.
 */
retryAfterMs: number | null, } | { "type": "wait", ms: number, } | { "type": "closed", reason: CloseReason, };

export type Snapshot = { room: Room, settings: Settings, 
/**
 * Everybody in the room, the client included.
 */
participants: Array<Participant>, 
/**
 * Those of the latest lines that are of where the client is, the oldest first. There may be none where others say more.
 */
chat: Array<ChatMessage>, 
/**
 * Ask for what is before this; absent where there is nothing before.
 */
chatBefore?: string, 
/**
 * The polls, the oldest first.
 */
polls: Array<Poll>, 
/**
 * Whose hands are up, the first first.
 */
hands: Array<ParticipantId>, 
/**
 * Who is in the spotlight, the first first.
 */
spotlight: Array<ParticipantId>, 
/**
 * Which viewers wish to be on stage, the first first.
 */
wishes: Array<ParticipantId>, 
/**
 * The breakout rooms, if any are open.
 */
breakouts: Breakouts | null, 
/**
 * When this was told, in Unix milliseconds.
 */
now: number, };

export type Participant = { id: ParticipantId, user: UserId, name: string, role: Role, 
/**
 * Whether they have no account.
 */
guest: boolean, publishing: Publishing, 
/**
 * What they may send.
 */
caps: Caps, 
/**
 * Region of the media node; absent until media is assigned.
 */
region: Region | null, connection: Connection, 
/**
 * The video codecs that their client decodes; empty if it did not say.
 */
decodes: Array<Codec>, 
/**
 * Unix time in milliseconds.
 */
joinedAt: number, };

export type Connection = "connecting" | "connected" | "reconnecting";

export type Role = "viewer" | "guest" | "speaker" | "moderator" | "host";

export type Settings = { kind: RoomKind, 
/**
 * Who may write in the chat.
 */
chat: Audience, 
/**
 * Who may write in the shared notes; the others read them.
 */
notes: Audience, 
/**
 * Who may feed captions.
 */
captions: Audience, 
/**
 * Who may share a screen.
 */
share: Audience, 
/**
 * Who may be heard; the others stay muted.
 */
speak: Audience, 
/**
 * Whether people without an account may come.
 */
guests: boolean, 
/**
 * For how many days lines of chat are kept, at least 1 and at most [`MAX_CHAT_DAYS`].
 */
chatDays: number, 
/**
 * How many lines of chat are kept, at least 1 and at most [`MAX_CHAT_LINES`].
 */
chatLines: number, 
/**
 * Whether who comes waits until the host or a moderator lets them in.
 */
lobby: boolean, 
/**
 * Whether nobody comes any more.
 */
locked: boolean, 
/**
 * How many people may be in it; 0 for as many as the server allows.
 */
capacity: number, 
/**
 * From when on one may come, in Unix milliseconds; 0 if from the beginning.
 */
opensAt: number, 
/**
 * Whether everybody with an account finds the room in the directory. Otherwise its link leads to it, and nothing else.
 */
listed: boolean, 
/**
 * Whether it stays although nobody uses it.
 */
permanent: boolean, 
/**
 * Whether a password is asked for ([`super::ClientMessage::SetPassword`]).
 */
hasPassword: boolean, };

export type SettingsChange = { kind?: RoomKind, 
/**
 * Who may write in the chat.
 */
chat?: Audience, 
/**
 * Who may write in the shared notes; the others read them.
 */
notes?: Audience, 
/**
 * Who may feed captions.
 */
captions?: Audience, 
/**
 * Who may share a screen.
 */
share?: Audience, 
/**
 * Who may be heard; the others stay muted.
 */
speak?: Audience, 
/**
 * Whether people without an account may come; at first they may. Who is inside stays.
 */
guests?: boolean, 
/**
 * For how many days lines of chat are kept.
 */
chatDays?: number, 
/**
 * How many lines of chat are kept.
 */
chatLines?: number, 
/**
 * Whether who comes waits until the host or a moderator lets them in.
 */
lobby?: boolean, 
/**
 * Whether nobody comes any more.
 */
locked?: boolean, 
/**
 * How many people may be in it; 0 for as many as the server allows.
 */
capacity?: number, 
/**
 * From when on one may come, in Unix milliseconds; 0 if from the beginning.
 */
opensAt?: number, 
/**
 * Whether everybody with an account finds the room in the directory.
 */
listed?: boolean, 
/**
 * Whether it stays although nobody uses it.
 */
permanent?: boolean, };

export type CapsChange = { audio?: boolean, video?: boolean, screen?: boolean, 
/**
 * `null` lifts the limit.
 */
maxLayer?: number | null, 
/**
 * `null` lifts the limit.
 */
maxBitrate?: number | null, };

export type AuditPage = { 
/**
 * The latest first.
 */
entries: Array<AuditEntry>, 
/**
 * Where the next page begins (`?before=`); absent at the end.
 */
before: number | null, };

export type AuditEntry = { 
/**
 * Counts up.
 */
number: number, 
/**
 * Unix time in milliseconds.
 */
at: number, by: NotedPerson, 
/**
 * Whom it was about; absent if it was about all.
 */
on: NotedPerson | null, deed: Deed, };

export type Noted = { 
/**
 * Unix time in milliseconds.
 */
at: number, by: NotedPerson, 
/**
 * Whom it was about; absent if it was about all.
 */
on: NotedPerson | null, deed: Deed, };

export type Wish = "asked" | "withdrawn" | "refused";

export type NotedPerson = { 
/**
 * Absent where they were not in the room.
 */
participant: ParticipantId | null, user: UserId, name: string, };

export type Deed = { "type": "caps", change: CapsChange, } | { "type": "turnedOff", source: Source, } | { "type": "askedToUnmute" } | { "type": "mutedAll", mute: MuteAll, } | { "type": "role", role: Role, } | { "type": "removed" } | { "type": "banned" } | { "type": "unbanned" } | { "type": "admitted" } | { "type": "refused" } | { "type": "refusedToSpeak" } | { "type": "handLowered" } | { "type": "spotlight", on: boolean, } | { "type": "pollCreated", poll: PollId, } | { "type": "pollClosed", poll: PollId, } | { "type": "pollDeleted", poll: PollId, } | { "type": "chatDeleted", id: string, } | { "type": "password", set: boolean, } | { "type": "settings", changed: { [key in string]: string }, } | { "type": "breakoutsOpened", rooms: number, } | { "type": "breakoutsClosed" } | { "type": "breakoutsLimited", seconds: number | null, } | { "type": "movedToBreakout", breakout: BreakoutId | null, } | { "type": "ended" };

export type MuteAll = "soft" | "hard" | "lifted";

export type RoomKind = "meeting" | "webinar";

export type Audience = "everybody" | "moderators";

export type ChatMessage = { id: string, 
/**
 * The sender's own name for it.
 */
nonce: string, participant: ParticipantId, 
/**
 * Whose line it is, whichever participant they are now; absent on lines of older releases.
 */
user: UserId | null, name: string, 
/**
 * Empty once it is deleted.
 */
text: string, 
/**
 * Unix time in milliseconds.
 */
sentAt: number, 
/**
 * When its text was changed last, in Unix milliseconds.
 */
editedAt?: number, deleted?: boolean, 
/**
 * The line that it answers. It may be gone, and may be one that not everybody sees.
 */
replyTo?: string, mentions?: Array<Mention>, 
/**
 * The one other user who sees it; absent where everybody does.
 */
to?: Mention, 
/**
 * The breakout room in which it was said, and is seen; absent where that is the main room.
 */
breakout?: BreakoutId, 
/**
 * Whether it is seen in all of them.
 */
broadcast?: boolean, reactions?: Array<ReactionCount>, };

export type Poll = { id: PollId, 
/**
 * The creator's own name for it.
 */
nonce: string, 
/**
 * Who has made it.
 */
user: UserId, name: string, 
/**
 * Unix time in milliseconds.
 */
createdAt: number, 
/**
 * Since when nobody votes any more; absent while the poll is open.
 */
closedAt: number | null, results: PollResults, 
/**
 * As it was written: render it as text. The options, too.
 */
question: string, options: Array<string>, 
/**
 * Whether one may choose several options.
 */
multiple: boolean, 
/**
 * Whether nobody is ever told who voted for what. While fewer than three have voted, nobody is told the counts either:
 * who has voted would know from them what another has.
 */
anonymous: boolean, shows: PollShows, };

export type PollDraft = { 
/**
 * As it was written: render it as text. The options, too.
 */
question: string, options: Array<string>, 
/**
 * Whether one may choose several options.
 */
multiple: boolean, 
/**
 * Whether nobody is ever told who voted for what. While fewer than three have voted, nobody is told the counts either:
 * who has voted would know from them what another has.
 */
anonymous: boolean, shows: PollShows, };

export type BreakoutAssignment = "automatic" | "byHand" | "free";

export type BreakoutDraft = { 
/**
 * As they were written: render them as text.
 */
names: Array<string>, assignment: BreakoutAssignment, 
/**
 * Who is in which from the beginning, whatever the assignment is. Who is not in the room any more is left out.
 */
assigned: Array<BreakoutAssigned>, 
/**
 * After how many seconds they are over; never by themselves if absent.
 */
seconds: number | null, };

export type BreakoutAssigned = { participant: ParticipantId, nth: number, };

export type Breakouts = { rooms: Array<Breakout>, assignment: BreakoutAssignment, 
/**
 * When they are over, in Unix milliseconds of the server.
 */
endsAt: number | null, 
/**
 * Who belongs to which; whoever does not stand here is in the main room.
 */
places: Array<BreakoutPlace>, };

export type Breakout = { id: BreakoutId, name: string, };

export type BreakoutPlace = { participant: ParticipantId, breakout: BreakoutId, 
/**
 * Whether they are in the main room for now.
 */
away: boolean, };

export type PollShows = "live" | "atClosing";

export type PollResults = { 
/**
 * How many have voted.
 */
voters: number, 
/**
 * How many of them chose each option; absent while that is not told.
 */
counts: Array<number> | null, };

export type OwnVote = { poll: PollId, choices: Array<number>, };

export type NamedVote = { user: UserId, name: string, choices: Array<number>, };

export type Mention = { user: UserId, 
/**
 * Their name at that time: `@` and this stand in the text.
 */
name: string, };

export type ChatReaction = "thumbsUp" | "heart" | "laugh" | "wow" | "sad" | "party";

export type ReactionCount = { reaction: ChatReaction, count: number, 
/**
 * Whether the user who is shown the line is one of them.
 */
mine: boolean, };

export type ChatPage = { 
/**
 * What was asked for: lines before this one.
 */
before: string, 
/**
 * The oldest first. There may be none, where only others see what is there.
 */
lines: Array<ChatMessage>, 
/**
 * Ask for what is before this; absent when there is nothing before.
 */
next: string | null, 
/**
 * Whether lines stood before that the room does not keep any more.
 */
gone: boolean, };

export type Reaction = "thumbsUp" | "thumbsDown" | "clap" | "heart" | "laugh" | "surprise" | "party";

export type NotesPage = { 
/**
 * Whom the client's updates come from (Yjs' `clientID`): what was asked for, or a new one that nobody else has. A client
 * that has written as another begins anew with it.
 */
author: number, 
/**
 * Which edition of the notes this is, 0 the first. When they are full of what was deleted they are written anew: who has
 * another edition begins anew with this page, which then has all of it.
 */
edition: number, 
/**
 * The number of the latest update, 0 before the first.
 */
number: number, 
/**
 * What came after the number that was asked for, in order; some of it may be known.
 */
updates: Array<string>, };

export type NotesUpdate = { 
/**
 * Counts up by one, over everybody's updates.
 */
number: number, update: string, };

export type NotesPointer = { participant: ParticipantId, 
/**
 * A relative position of Yjs in base64; absent when they are not in them any more.
 */
at: string | null, };

export type RoomEvent = { "type": "joined", participant: Participant, } | { "type": "left", participant: ParticipantId, reason: LeaveReason, } | { "type": "publishing", participant: ParticipantId, publishing: Publishing, } | { "type": "role", participant: ParticipantId, role: Role, } | { "type": "settings", settings: Settings, } | { "type": "account", participant: ParticipantId, user: UserId, name: string, } | { "type": "caps", participant: ParticipantId, caps: Caps, } | { "type": "turnedOff", participants: Array<ParticipantId>, source: Source, by: ParticipantId, } | { "type": "placed", participant: ParticipantId, region: Region, } | { "type": "connection", participant: ParticipantId, connection: Connection, } | { "type": "chat", message: ChatMessage, } | { "type": "poll", poll: Poll, } | { "type": "pollResults", poll: PollId, results: PollResults, } | { "type": "pollDeleted", poll: PollId, } | { "type": "chatEdited", id: string, text: string, editedAt: number, } | { "type": "chatDeleted", id: string, } | { "type": "chatReacted", id: string, user: UserId, reaction: ChatReaction, on: boolean, count: number, } | { "type": "breakouts", breakouts: Breakouts | null, } | { "type": "breakoutPlace", place: BreakoutPlace, } | { "type": "unseen" } | { "type": "hand", participant: ParticipantId, raised: boolean, } | { "type": "handsLowered" } | { "type": "stage", participants: Array<ParticipantId>, wish: Wish, } | { "type": "spotlight", participants: Array<ParticipantId>, };

export type LeaveReason = "left" | "connectionLost" | "roomClosed" | "removed" | "moved";

export type CloseReason = "left" | "roomDeleted" | "replaced" | "removed" | "refused" | "moved" | "ended";

export type ErrorCode = "malformed" | "tooLarge" | "rateLimited" | "badOffer" | "noNode" | "forbidden" | "unknownParticipant" | "unknownPoll" | "pollClosed" | "tooMany" | "unknownLine" | "notesFull" | "unknownBreakout" | "elsewhere";

export type ClientMediaMessage = { "type": "view", tiles: Array<Tile>, } | { "type": "alive" } | { "type": "showCaptions", on: boolean, } | { "type": "feedCaption" } & CaptionLine | { "type": "playback", 
/**
 * Share of the time since the last report in which a picture stood still, 0 to 1: the mean of all that it shows,
 * and 0 where it shows none.
 */
frozen: number, };

export type CaptionLine = { 
/**
 * Counts up by one for whoever feeds. What comes under the same number takes the place of what came before.
 */
id: number, 
/**
 * Who says it; whoever feeds, if absent.
 */
speaker: ParticipantId | null, 
/**
 * The language that it is in (BCP 47), such as `en` or `pt-BR`.
 */
language: string, text: string, 
/**
 * Whether it is said to its end: nothing takes its place any more.
 */
final: boolean, };

export type CaptionRefusal = "notAllowed" | "tooMuch" | "malformed";

export type Caption = { 
/**
 * Who feeds it, as their node knows.
 */
by: ParticipantId, 
/**
 * Counts up by one for whoever feeds. What comes under the same number takes the place of what came before.
 */
id: number, 
/**
 * Who says it; whoever feeds, if absent.
 */
speaker: ParticipantId | null, 
/**
 * The language that it is in (BCP 47), such as `en` or `pt-BR`.
 */
language: string, text: string, 
/**
 * Whether it is said to its end: nothing takes its place any more.
 */
final: boolean, };

export type Tile = { track: TrackId, 
/**
 * Size on the screen in device pixels.
 */
width: number, height: number, 
/**
 * Larger matters more. Ties go to the earlier tile.
 */
priority: number, };

export type NodeMediaMessage = { "type": "slots", slots: Array<SlotAssignment>, } | { "type": "speakers", speakers: Array<ParticipantId>, } | { "type": "caption" } & Caption | { "type": "captionRefused", id: number, reason: CaptionRefusal, } | { "type": "demand", demand: Array<SourceDemand>, } | { "type": "quality", quality: Quality, } | { "type": "qualities", participants: Array<ParticipantQuality>, };

export type SlotAssignment = { mid: string, track: TrackId | null, 
/**
 * The track is paused, because the path to the client cannot carry it now.
 */
paused: boolean, };

export type SourceDemand = { source: Source, 
/**
 * For each layer in the order of the offer's rids, the lowest first, whether it is wanted.
 */
layers: Array<boolean>, };

export type Quality = { 
/**
 * Round-trip time in milliseconds; absent until it is measured.
 */
roundTripMs: number | null, 
/**
 * What the client sends, as the node receives it.
 */
up: PathQuality, 
/**
 * What the client receives, as it reports back.
 */
down: PathQuality, 
/**
 * What the node may send to the client, in bits per second.
 */
estimate: number, 
/**
 * Share of the time in which the pictures that the client shows stood still, 0 to 1, as it reported last; absent until
 * it has ([`ClientMediaMessage::Playback`]).
 */
frozen: number | null, 
/**
 * How a listener would rate the client's sound: 1 to 5, mean opinion score by the E-model (ITU-T G.107).
 */
score: number, };

export type PathQuality = { 
/**
 * Share of packets lost since the last report, before repair, 0 to 1.
 */
loss: number, 
/**
 * Interarrival jitter (RFC 3550, 6.4.1) in milliseconds.
 */
jitterMs: number, 
/**
 * Bits per second since the last report.
 */
bitrate: number, };

export type ParticipantQuality = { participant: ParticipantId, quality: Quality, };

export const MAX_CHAT_BYTES = 4000;
export const MAX_DATA_BYTES = 16384;
export const MAX_CHAT_DAYS = 3650;
export const MAX_CHAT_LINES = 1000000;
export const MAX_QUESTION_BYTES = 1000;
export const MAX_OPTION_BYTES = 300;
export const MAX_POLL_OPTIONS = 20;
export const MAX_CAPTION_BYTES = 600;
export const MAX_LANGUAGE_BYTES = 35;
export const MAX_NOTES_UPDATE_BYTES = 32768;
export const MAX_BREAKOUTS = 50;
export const MAX_BREAKOUT_NAME_BYTES = 100;
export const MAX_BREAKOUT_SECONDS = 86400;
export const REMOVAL_SECONDS = 600;
export const RETURN_SECONDS = 10;
/** How a room is set unless it says otherwise. */
export const DEFAULT_SETTINGS: Settings = {"kind":"meeting","chat":"everybody","notes":"everybody","captions":"everybody","share":"everybody","speak":"everybody","guests":true,"chatDays":365,"chatLines":1000000,"lobby":false,"locked":false,"capacity":0,"opensAt":0,"listed":false,"permanent":false,"hasPassword":false};
