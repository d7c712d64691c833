// Rooms in the same SQLite schema through better-sqlite3, and as the documents that clients see.
import { randomBytes } from "node:crypto";
import Database from "better-sqlite3";

const db = new Database(process.env.BENCH_DB);
for (const pragma of ["journal_mode=WAL", "synchronous=FULL", "busy_timeout=5000", "foreign_keys=ON"]) db.pragma(pragma);

const COLUMNS =
  "room_id, room_name, owner, status, creation_date, auto_deletion_date, meeting_end_action, roles_updated_at, document";
const SORT = { creationDate: "creation_date", roomName: "room_name", autoDeletionDate: "auto_deletion_date" };
const EXTRA = ["config", "roles"];

const byId = db.prepare(`SELECT ${COLUMNS} FROM rooms WHERE room_id = ?`);
const insert = db.prepare(
  `INSERT INTO rooms (room_id, room_name, room_name_folded, owner, status, creation_date, auto_deletion_date,
   meeting_end_action, roles_updated_at, user_access, document) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
);
const pages = new Map(); // statement text -> prepared statement

export const rootUser = () => db.prepare("SELECT user_id, name, role FROM users WHERE role = 'admin'").get();
export const apiKey = () => db.prepare("SELECT key FROM api_keys").get().key;

export function find(roomId) {
  const row = byId.get(roomId);
  return row && { ...row, ...JSON.parse(row.document) };
}

export function page(query) {
  const column = SORT[query.sortField];
  const conditions = [];
  const values = [];
  if (query.roomName) {
    conditions.push("room_name = ?");
    values.push(query.roomName);
  }
  if (query.status) {
    conditions.push("status = ?");
    values.push(query.status);
  }
  if (query.nextPageToken) {
    const { fieldValue, id } = JSON.parse(Buffer.from(query.nextPageToken, "base64").toString());
    conditions.push(`(${column}, seq) ${query.sortOrder === "desc" ? "<" : ">"} (?, ?)`);
    values.push(fieldValue, Number(id));
  }
  const where = conditions.length ? `WHERE ${conditions.join(" AND ")}` : "";
  const order = `${column} ${query.sortOrder}, seq ${query.sortOrder}`;
  const text = `SELECT ${COLUMNS}, seq FROM rooms ${where} ORDER BY ${order} LIMIT ?`;
  let statement = pages.get(text);
  if (!statement) pages.set(text, (statement = db.prepare(text)));
  const rows = statement.all(...values, query.maxItems + 1);
  const isTruncated = rows.length > query.maxItems;
  const kept = isTruncated ? rows.slice(0, -1) : rows;
  const last = kept.at(-1);
  const token = isTruncated
    ? Buffer.from(JSON.stringify({ fieldValue: last[column], id: String(last.seq) })).toString("base64")
    : undefined;
  return {
    rooms: kept.map((row) => ({ ...row, ...JSON.parse(row.document) })),
    pagination: { isTruncated, nextPageToken: token, maxItems: query.maxItems },
  };
}

const PERMISSIONS = [
  "canRecord",
  "canRetrieveRecordings",
  "canDeleteRecordings",
  "canJoinMeeting",
  "canShareAccessLinks",
  "canMakeModerator",
  "canKickParticipants",
  "canEndMeeting",
  "canPublishVideo",
  "canPublishAudio",
  "canShareScreen",
  "canReadChat",
  "canWriteChat",
  "canChangeVirtualBackground",
];
export const ALL = Object.fromEntries(PERMISSIONS.map((name) => [name, true]));
const DENIED = { canRecord: false, canDeleteRecordings: false, canShareAccessLinks: false, canMakeModerator: false };
const SPEAKER = { ...ALL, ...DENIED, canKickParticipants: false, canEndMeeting: false };

const secret = () => randomBytes(5).toString("hex");
const link = (given) => ({ enabled: given?.enabled ?? true, secret: secret() });

export function create(body, owner) {
  const name = body.roomName.split(/\s+/).filter(Boolean).join(" ");
  const prefix = name
    .normalize("NFD")
    .toLowerCase()
    .replace(/[-\s]+/g, "_")
    .replace(/[^a-z0-9_]/g, "")
    .replace(/_+/g, "_");
  const now = Date.now();
  const config = {
    recording: { enabled: true, layout: "grid", encoding: "H264_720P_30", ...body.config?.recording },
    chat: { enabled: true, ...body.config?.chat },
    virtualBackground: { enabled: true, ...body.config?.virtualBackground },
    e2ee: { enabled: false, ...body.config?.e2ee },
    captions: { enabled: true, ...body.config?.captions },
  };
  if (config.e2ee.enabled) config.recording.enabled = false;
  const roles = {
    moderator: { permissions: { ...ALL, ...body.roles?.moderator?.permissions } },
    speaker: { permissions: { ...SPEAKER, ...body.roles?.speaker?.permissions } },
  };
  const given = body.access?.anonymous;
  const access = {
    anonymous: { moderator: link(given?.moderator), speaker: link(given?.speaker), recording: link(given?.recording) },
    user: { enabled: body.access?.user?.enabled ?? false },
  };
  const room = {
    room_id: `${prefix || "room"}-${randomBytes(8).toString("hex").slice(0, 15)}`,
    room_name: name,
    owner,
    status: "open",
    creation_date: now,
    auto_deletion_date: body.autoDeletionDate ?? null,
    meeting_end_action: "none",
    roles_updated_at: now,
    config,
    roles,
    access,
  };
  insert.run(
    room.room_id,
    name,
    name.toLowerCase(),
    owner,
    room.status,
    now,
    room.auto_deletion_date,
    room.meeting_end_action,
    now,
    access.user.enabled ? 1 : 0,
    JSON.stringify({ config, roles, access }),
  );
  return room;
}

export function render(room, base, fields, extraFields) {
  const page = `${base}/room/${room.room_id}`;
  const entry = (stored, path) => ({ enabled: stored.enabled, url: `${path}?secret=${stored.secret}` });
  const anonymous = room.access.anonymous;
  const document = {
    roomId: room.room_id,
    roomName: room.room_name,
    owner: room.owner,
    creationDate: room.creation_date,
    config: room.config,
    roles: room.roles,
    access: {
      anonymous: {
        moderator: entry(anonymous.moderator, page),
        speaker: entry(anonymous.speaker, page),
        recording: entry(anonymous.recording, `${page}/recordings`),
      },
      user: { enabled: room.access.user.enabled, url: page },
    },
    status: room.status,
    rolesUpdatedAt: room.roles_updated_at,
    meetingEndAction: room.meeting_end_action,
    autoDeletionDate: room.auto_deletion_date ?? undefined,
    autoDeletionPolicy: room.autoDeletionPolicy,
  };
  for (const name of Object.keys(document)) {
    const wanted = EXTRA.includes(name) ? extraFields?.has(name) : !fields || fields.has(name);
    if (!wanted) delete document[name];
  }
  return document;
}

export const extraFieldNames = EXTRA;
