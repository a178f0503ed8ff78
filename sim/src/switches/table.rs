//! The rows: one static a switch, and the table of all.

use super::{Switch, Values};

const ON_OFF: Values = Values::OneOf(&["on", "off"]);

/// Hidden objects (sheet 10.3).
pub static HIDDEN: Switch = Switch {
    name: "hidden",
    values: Values::OneOf(&["404", "403"]),
    default: "404",
    text: "status of a request for an object that the caller may not see",
};
/// Whether discovery names a key set (sheet 1.2, 10.2).
pub static JWKS: Switch = Switch {
    name: "jwks",
    values: ON_OFF,
    default: "on",
    text: "openid-configuration names jwks_uri and the key set is served",
};
/// Client-supplied ids (sheet 10.3).
pub static CLIENT_IDS: Switch = Switch {
    name: "client-ids",
    values: ON_OFF,
    default: "off",
    text: "an `id` in a POST body is honoured (registeredServices always does)",
};
/// Cross-origin requests (sheet 8.26).
pub static CORS: Switch = Switch {
    name: "cors",
    values: ON_OFF,
    default: "off",
    text: "answer preflights and send Access-Control-Allow-*, from version 22.3 on",
};
/// Booleans before 2022 R2 (sheet 3.1).
pub static STRING_BOOLEANS: Switch = Switch {
    name: "string-booleans",
    values: Values::OneOf(&["auto", "on", "off"]),
    default: "auto",
    text: "booleans are written \"True\"/\"False\"; auto: before version 22.2",
};
/// Lockout threshold (sheet 2.3, 10.2).
pub static LOCKOUT_THRESHOLD: Switch = Switch {
    name: "lockout-threshold",
    values: Values::Number("wrong passwords"),
    default: "5",
    text: "wrong passwords in a row that lock a basic user; 0: never",
};
/// Lockout duration (sheet 2.3, 10.2).
pub static LOCKOUT_SECONDS: Switch = Switch {
    name: "lockout-seconds",
    values: Values::Number("s"),
    default: "300",
    text: "how long a lockout by the system lasts",
};
/// Refresh-token rotation (sheet 10.2).
pub static REFRESH_ROTATION: Switch = Switch {
    name: "refresh-rotation",
    values: ON_OFF,
    default: "on",
    text: "a refresh token works once and is replaced; off: it stays valid",
};
/// Refresh-token lifetime (sheet 10.2).
pub static REFRESH_SECONDS: Switch = Switch {
    name: "refresh-seconds",
    values: Values::Number("s"),
    default: "1296000",
    text: "lifetime of a refresh token",
};
/// Clients with refresh tokens (sheet 2.1).
pub static REFRESH_CLIENTS: Switch = Switch {
    name: "refresh-clients",
    values: Values::OneOf(&["VmsClient", "all"]),
    default: "VmsClient",
    text: "who gets refresh tokens: VmsClient alone, or VmsAdminClient and VmsWebClient too",
};
/// Redirect addresses of the code flow (sheet 2.4).
pub static REDIRECT_URIS: Switch = Switch {
    name: "redirect-uris",
    values: Values::OneOf(&["loopback", "https"]),
    default: "loopback",
    text: "where a browser may take a code: the user's own computer and this instance, or any https address too",
};
/// Default page size (sheet 10.3).
pub static PAGE_SIZE: Switch = Switch {
    name: "page-size",
    values: Values::Number("objects"),
    default: "100",
    text: "page size when `page` comes without `size`",
};
/// Largest page (sheet 10.3).
pub static MAX_PAGE_SIZE: Switch = Switch {
    name: "max-page-size",
    values: Values::Number("objects"),
    default: "0",
    text: "a larger `size` is cut to this; 0: no limit",
};
/// Depth of `includeChildren` (sheet 10.3).
pub static INCLUDE_DEPTH: Switch = Switch {
    name: "include-depth",
    values: Values::Number("levels"),
    default: "1",
    text: "how deep includeChildren embeds",
};
/// Members missing in a PUT (sheet 10.3).
pub static PUT_MISSING: Switch = Switch {
    name: "put-missing",
    values: Values::OneOf(&["keep", "reset"]),
    default: "keep",
    text: "writable members that a PUT leaves out keep their value or get the default",
};
/// Nested groups in the flat collection.
pub static NESTED_GROUPS: Switch = Switch {
    name: "nested-groups",
    values: Values::OneOf(&["all", "top"]),
    default: "all",
    text: "a group collection lists all groups or only those at the top",
};
/// Local times (sheet 3.1, 8.9).
pub static LOCAL_TIMES: Switch = Switch {
    name: "local-times",
    values: ON_OFF,
    default: "on",
    text: "lastModified of analyticsEvents and genericEvents has the site's offset instead of Z",
};
/// References of the older notation (sheet 3.1).
pub static ITEM_NOTATION: Switch = Switch {
    name: "item-notation",
    values: Values::OneOf(&["brackets", "path"]),
    default: "brackets",
    text: "genericEvents.dataSource is GenericEventDataSource[guid] or genericEventDataSources/guid",
};
/// Rights of a service token.
pub static SERVICE_WRITES: Switch = Switch {
    name: "service-writes",
    values: ON_OFF,
    default: "off",
    text: "a client_credentials token may write configuration",
};
/// Ids of alarm data settings (sheet 10.4).
pub static ALARM_IDS: Switch = Switch {
    name: "alarm-ids",
    values: Values::OneOf(&["own", "shared"]),
    default: "own",
    text: "ids of alarm states, priorities and the like are this instance's own or equal on every installation",
};
/// Which event types have a retention of a day (sheet 5.1).
pub static EVENT_RETENTION: Switch = Switch {
    name: "event-retention",
    values: Values::OneOf(&["all", "no-motion", "none"]),
    default: "all",
    text: "event types that GET /events knows for a day; the others are only sent",
};
/// Errors of bookmarks and evidence locks (sheet 3.4, 5.3).
pub static MARK_ERRORS: Switch = Switch {
    name: "mark-errors",
    values: Values::OneOf(&["unwrapped", "wrapped"]),
    default: "unwrapped",
    text: "error bodies of bookmarks and evidence locks: without `error` around and httpCode as text, or as elsewhere",
};
/// Duration of a queued task.
pub static TASK_TIME: Switch = Switch {
    name: "task-time",
    values: Values::Number("ms"),
    default: "500",
    text: "how long a queued task runs",
};
/// Lifetime of a SOAP token (sheet 2.8, 8.16).
pub static SOAP_TOKEN_SECONDS: Switch = Switch {
    name: "soap-token-seconds",
    values: Values::Number("s"),
    default: "14400",
    text: "lifetime of a SOAP token",
};

/// Unauthenticated commands (sheet 4.1, 10.1).
pub static ESS_UNAUTHENTICATED: Switch = Switch {
    name: "ess-unauthenticated",
    values: Values::Number("status"),
    default: "401",
    text: "events socket: status of a command before `authenticate`, and of a bad token in it",
};
/// Bad filters (sheet 4.2, 10.1).
pub static ESS_BAD_FILTER: Switch = Switch {
    name: "ess-bad-filter",
    values: Values::Number("status"),
    default: "400",
    text: "events socket: status of a filter that cannot be read",
};
/// Commands that need a session (sheet 4.2, 10.1).
pub static ESS_NO_SESSION: Switch = Switch {
    name: "ess-no-session",
    values: Values::Number("status"),
    default: "400",
    text: "events socket: status of a command before `startSession`",
};
/// A second startSession (sheet 4.2, 10.1).
pub static ESS_STARTED: Switch = Switch {
    name: "ess-started",
    values: Values::Number("status"),
    default: "409",
    text: "events socket: status of a second `startSession` on one socket",
};
/// Unknown subscriptions (sheet 4.2, 10.1).
pub static ESS_UNKNOWN_SUBSCRIPTION: Switch = Switch {
    name: "ess-unknown-subscription",
    values: Values::Number("status"),
    default: "404",
    text: "events socket: status of `removeSubscription` with an unknown id",
};
/// Two sockets on one session (sheet 4.4, 10.1).
pub static ESS_TWO_SOCKETS: Switch = Switch {
    name: "ess-two-sockets",
    values: Values::OneOf(&["newer", "refuse"]),
    default: "newer",
    text: "events socket: the newer connection takes a session over, or is refused with 409",
};
/// Header-less sockets (sheet 10.1).
pub static ESS_AUTH_TIMEOUT: Switch = Switch {
    name: "ess-auth-timeout",
    values: Values::Number("s"),
    default: "30",
    text: "events and messages sockets: how long one may stay unauthenticated; 0: for ever",
};
/// Resume window (sheet 4.4).
pub static ESS_RESUME_WINDOW: Switch = Switch {
    name: "ess-resume-window",
    values: Values::Number("s"),
    default: "30",
    text: "events socket: how long a session outlives its connection",
};
/// Replay buffer (sheet 4.4, 10.1).
pub static ESS_BUFFER: Switch = Switch {
    name: "ess-buffer",
    values: Values::Number("events"),
    default: "10000",
    text: "events socket: how many of the site's last events a resumed session can get again",
};
/// Server pings (sheet 4.5, 10.1).
pub static ESS_PING: Switch = Switch {
    name: "ess-ping",
    values: Values::Number("s"),
    default: "0",
    text: "events socket: interval of the server's own pings; 0: none",
};
/// Close codes (sheet 4.5, 10.1).
pub static ESS_CLOSE_MALFORMED: Switch = Switch {
    name: "ess-close-malformed",
    values: Values::Number("close code"),
    default: "1007",
    text: "events socket: close code after a malformed command",
};

/// Acknowledgements (sheet 4.7, 10.6).
pub static MESSAGES_ACKS: Switch = Switch {
    name: "messages-acks",
    values: Values::OneOf(&["ack.v1", "off"]),
    default: "ack.v1",
    text: "messages socket: type of the frame that acknowledges sub.v1 and pub.v1; off: none",
};
/// Errors (sheet 4.7, 10.6).
pub static MESSAGES_ERRORS: Switch = Switch {
    name: "messages-errors",
    values: Values::OneOf(&["err.v1", "close"]),
    default: "err.v1",
    text: "messages socket: type of the frame that refuses another; close: no frame, the socket is closed",
};
/// Pulse period (sheet 4.7).
pub static MESSAGES_PULSE: Switch = Switch {
    name: "messages-pulse",
    values: Values::Number("s"),
    default: "30",
    text: "messages socket: pulsePeriodSeconds",
};
/// Pulse time-out (sheet 10.6).
pub static MESSAGES_PULSE_TIMEOUT: Switch = Switch {
    name: "messages-pulse-timeout",
    values: Values::Number("s"),
    default: "90",
    text: "messages socket: a client without pulse.v1 for this long is closed; 0: never",
};
/// Messages that wait for a slow reader (sheet 10.6).
pub static MESSAGES_ROOM: Switch = Switch {
    name: "messages-room",
    values: Values::Number("messages"),
    default: "256",
    text: "messages socket: unread messages that are kept for a socket before it is cut",
};
/// The socket without a public schema (sheet 4.8).
pub static ALARMS_SOCKET: Switch = Switch {
    name: "alarms-socket",
    values: Values::OneOf(&["404", "501"]),
    default: "404",
    text: "status of /API/ws/alarms/v1",
};
/// Refused calls of WebRTC clients (sheet 6.1).
pub static WEBRTC_ERRORS: Switch = Switch {
    name: "webrtc-errors",
    values: Values::OneOf(&["notify", "reply"]),
    default: "notify",
    text: "webrtc socket: a refused call gets an error notification without id, or a JSON-RPC error with its id",
};
/// Lifetime of a WebRTC session (sheet 10.8).
pub static WEBRTC_LIFETIME: Switch = Switch {
    name: "webrtc-lifetime",
    values: Values::Number("s"),
    default: "0",
    text: "how long a WebRTC session lives at most; 0: as long as its token",
};
/// Number of WebRTC sessions (sheet 10.8).
pub static WEBRTC_SESSIONS: Switch = Switch {
    name: "webrtc-sessions",
    values: Values::Number("sessions"),
    default: "1000",
    text: "WebRTC sessions at a time; one more gets 503",
};
/// Ending a WebRTC session (sheet 10.8).
pub static WEBRTC_DELETE: Switch = Switch {
    name: "webrtc-delete",
    values: ON_OFF,
    default: "off",
    text: "DELETE ends a WebRTC session; off: unknown request",
};
/// Recycling of the gateway (sheet 4.5, 8.5).
pub static RECYCLE: Switch = Switch {
    name: "recycle",
    values: Values::Number("s"),
    default: "97200",
    text: "age of the process at which the events and messages sockets are closed, and again after each such span; 0: never",
};
/// Start of the gateway (sheet 6.6).
pub static RECYCLE_START: Switch = Switch {
    name: "recycle-start",
    values: Values::Number("ms"),
    default: "5000",
    text: "how long the first events or messages socket after a recycle waits for its upgrade",
};

/// The table.
pub static ALL: &[&Switch] = &[
    &HIDDEN,
    &JWKS,
    &CLIENT_IDS,
    &CORS,
    &STRING_BOOLEANS,
    &LOCKOUT_THRESHOLD,
    &LOCKOUT_SECONDS,
    &REFRESH_ROTATION,
    &REFRESH_SECONDS,
    &REFRESH_CLIENTS,
    &REDIRECT_URIS,
    &PAGE_SIZE,
    &MAX_PAGE_SIZE,
    &INCLUDE_DEPTH,
    &PUT_MISSING,
    &NESTED_GROUPS,
    &LOCAL_TIMES,
    &ITEM_NOTATION,
    &SERVICE_WRITES,
    &ALARM_IDS,
    &EVENT_RETENTION,
    &MARK_ERRORS,
    &TASK_TIME,
    &SOAP_TOKEN_SECONDS,
    &ESS_UNAUTHENTICATED,
    &ESS_BAD_FILTER,
    &ESS_NO_SESSION,
    &ESS_STARTED,
    &ESS_UNKNOWN_SUBSCRIPTION,
    &ESS_TWO_SOCKETS,
    &ESS_AUTH_TIMEOUT,
    &ESS_RESUME_WINDOW,
    &ESS_BUFFER,
    &ESS_PING,
    &ESS_CLOSE_MALFORMED,
    &RECYCLE,
    &RECYCLE_START,
    &MESSAGES_ACKS,
    &MESSAGES_ERRORS,
    &MESSAGES_PULSE,
    &MESSAGES_PULSE_TIMEOUT,
    &MESSAGES_ROOM,
    &ALARMS_SOCKET,
    &WEBRTC_ERRORS,
    &WEBRTC_LIFETIME,
    &WEBRTC_SESSIONS,
    &WEBRTC_DELETE,
];
