// The peer: Express 5 + zod + better-sqlite3 doing the same work on the same schema, with the same durability.
import { timingSafeEqual } from "node:crypto";
import express from "express";
import jwt from "jsonwebtoken";
import * as rooms from "./rooms.mjs";
import { CreateRoom, MemberToken, RoomListQuery, RoomParams, Selection, SelectionHeaders } from "./schemas.mjs";

// Like ours, the peer keeps credentials in memory.
const expected = Buffer.from(rooms.apiKey());
const root = rooms.rootUser();
const [issuer, secret] = process.env.BENCH_JWT.split(":");
const TTL_S = 7200;

const app = express();
app.disable("x-powered-by");
app.use((req, res, next) => {
  res.set({ "Access-Control-Allow-Origin": "*", "Access-Control-Allow-Credentials": "true" });
  next();
});
app.use(express.json());

function authenticate(req, res, next) {
  const key = Buffer.from(req.get("x-api-key") ?? "");
  if (key.length !== expected.length || !timingSafeEqual(key, expected)) {
    return res.status(401).json({ error: "Authentication Error", message: "Invalid API key" });
  }
  req.user = root;
  next();
}

const validate = (schemas) => (req, res, next) => {
  req.valid = {};
  for (const [part, schema] of Object.entries(schemas)) {
    const result = schema.safeParse(req[part]);
    if (!result.success) {
      const details = result.error.issues.map((issue) => ({ field: issue.path.join("."), message: issue.message }));
      return res.status(422).json({ error: "Unprocessable Entity", message: "Invalid request", details });
    }
    req.valid[part] = result.data;
  }
  next();
};

const united = (one, other) => (one && other ? new Set([...one, ...other]) : (one ?? other));
function selection({ query, headers }) {
  return [united(query.fields, headers["x-fields"]), united(query.extraFields, headers["x-extrafields"])];
}
const baseUrl = (req) => `${req.protocol}://${req.get("host")}/meet`;

function existing(req, res, next) {
  req.room = rooms.find(req.valid.params.roomId);
  if (req.room) return next();
  const message = `Room '${req.valid.params.roomId}' does not exist`;
  res.status(404).json({ error: "Room Error", message });
}

const single = { params: RoomParams, query: Selection, headers: SelectionHeaders };
app.get("/api/v1/rooms/:roomId", authenticate, validate(single), existing, (req, res) => {
  const document = rooms.render(req.room, baseUrl(req), ...selection(req.valid));
  res.json({ ...document, _extraFields: rooms.extraFieldNames });
});

app.get("/api/v1/rooms", authenticate, validate({ query: RoomListQuery, headers: SelectionHeaders }), (req, res) => {
  const found = rooms.page(req.valid.query);
  const chosen = selection(req.valid);
  const base = baseUrl(req);
  res.json({
    rooms: found.rooms.map((room) => rooms.render(room, base, ...chosen)),
    pagination: found.pagination,
    _extraFields: rooms.extraFieldNames,
  });
});

const creation = { query: Selection, headers: SelectionHeaders, body: CreateRoom };
app.post("/api/v1/rooms", authenticate, validate(creation), (req, res) => {
  const room = rooms.create(req.valid.body, req.user.user_id);
  const base = baseUrl(req);
  res.status(201).location(`${base}/api/v1/rooms/${room.room_id}`);
  res.json({ ...rooms.render(room, base, ...selection(req.valid)), _extraFields: rooms.extraFieldNames });
});

const token = { params: RoomParams, body: MemberToken };
app.post("/internal-api/v1/rooms/:roomId/members/token", validate(token), authenticate, existing, (req, res) => {
  const badge = req.user.user_id === req.room.owner ? "owner" : "admin";
  const now = Date.now();
  const metadata = {
    iat: now,
    roomId: req.room.room_id,
    userId: req.user.user_id,
    permissions: { ...rooms.ALL },
    badge,
  };
  const seconds = Math.floor(now / 1000);
  const claims = { iss: issuer, nbf: seconds, exp: seconds + TTL_S, metadata: JSON.stringify(metadata) };
  res.set("Cache-Control", "no-store");
  res.json({ token: jwt.sign(claims, secret, { algorithm: "HS256", noTimestamp: true }) });
});

app.listen(Number(process.env.PORT), "127.0.0.1");
