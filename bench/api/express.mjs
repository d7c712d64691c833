// The peer: Express 5 + zod, GET room from memory behind an API key, with the same checks.
import { timingSafeEqual } from "node:crypto";
import express from "express";
import { z } from "zod";

const room = JSON.parse(process.env.BENCH_ROOM);
const expected = Buffer.from(process.env.BENCH_KEY);

const Params = z.object({ roomId: z.string().min(1).max(100) });
const Query = z.object({ fields: z.string().optional(), extraFields: z.string().optional() });
const Headers = z.object({ "x-fields": z.string().optional() });

const app = express();
app.disable("x-powered-by");
app.use(express.json());

function authenticate(req, res, next) {
  const key = Buffer.from(req.get("x-api-key") ?? "");
  if (key.length === expected.length && timingSafeEqual(key, expected)) return next();
  res.status(401).json({ error: "Authentication Error", message: "Invalid API key" });
}

function validate(req, res, next) {
  for (const [schema, value] of [[Params, req.params], [Query, req.query], [Headers, req.headers]]) {
    const result = schema.safeParse(value);
    if (!result.success) {
      const details = result.error.issues.map((i) => ({ field: i.path.join("."), message: i.message }));
      return res.status(422).json({ error: "Unprocessable Entity", message: "Invalid request", details });
    }
  }
  next();
}

app.get("/api/v1/rooms/:roomId", authenticate, validate, (req, res) => {
  const wanted = req.query.fields ? new Set(req.query.fields.split(",")) : null;
  res.json(wanted ? Object.fromEntries(Object.entries(room).filter(([name]) => wanted.has(name))) : room);
});

app.listen(Number(process.env.PORT), "127.0.0.1");
