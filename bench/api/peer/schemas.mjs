// What the contract says about the measured requests, as zod schemas.
import { z } from "zod";

const list = z
  .string()
  .transform((text) => new Set(text.split(",").map((name) => name.trim()).filter(Boolean)))
  .optional();

export const Selection = z.object({ fields: list, extraFields: list });
export const SelectionHeaders = z.object({ "x-fields": list, "x-extrafields": list });

const roomId = z
  .string()
  .max(100, "roomId cannot exceed 100 characters")
  .transform((text) => text.replace(/[^A-Za-z0-9_-]/g, ""))
  .refine((text) => text.length > 0, "roomId cannot be empty after sanitization");
export const RoomParams = z.object({ roomId });

const flag = z.enum(["true", "false"]).transform((text) => text === "true");
export const RoomListQuery = Selection.extend({
  roomName: z.string().optional(),
  roomNameMatchMode: z.enum(["exact", "prefix", "partial", "regex"]).default("exact"),
  roomNameCaseInsensitive: flag.default(false),
  owner: z.string().min(1, "owner cannot be empty").optional(),
  member: z.string().min(1, "member cannot be empty").optional(),
  userAccess: flag.optional(),
  status: z.enum(["open", "active_meeting", "closed"]).optional(),
  maxItems: z.coerce
    .number()
    .positive("maxItems must be a positive number")
    .default(10)
    .transform((count) => Math.max(1, Math.min(100, Math.floor(count)))),
  nextPageToken: z.string().optional(),
  sortField: z.enum(["creationDate", "roomName", "autoDeletionDate"]).default("creationDate"),
  sortOrder: z.enum(["asc", "desc"]).default("desc"),
});

const Switch = z.object({ enabled: z.boolean() });
const Encoding = z.union([
  z.enum([
    "H264_720P_30",
    "H264_720P_60",
    "H264_1080P_30",
    "H264_1080P_60",
    "PORTRAIT_H264_720P_30",
    "PORTRAIT_H264_720P_60",
    "PORTRAIT_H264_1080P_30",
    "PORTRAIT_H264_1080P_60",
  ]),
  z.object({
    video: z.object({
      width: z.number().positive(),
      height: z.number().positive(),
      framerate: z.number().positive(),
      codec: z.enum(["DEFAULT_VC", "H264_BASELINE", "H264_MAIN", "H264_HIGH", "VP8"]),
      bitrate: z.number().positive(),
      keyFrameInterval: z.number().positive(),
      depth: z.number().positive(),
    }),
    audio: z.object({
      codec: z.enum(["DEFAULT_AC", "OPUS", "AAC", "AC_MP3"]),
      bitrate: z.number().positive(),
      frequency: z.number().positive(),
    }),
  }),
]);
const RoleUpdate = z.object({ permissions: z.record(z.string(), z.boolean()) });

export const CreateRoom = z.object({
  roomName: z.string().max(50, "roomName cannot exceed 50 characters").default("Room"),
  autoDeletionDate: z.number().positive().max(8640000000000000).optional(),
  autoDeletionPolicy: z
    .object({
      withMeeting: z.enum(["force", "when_meeting_ends", "fail"]),
      withRecordings: z.enum(["force", "close", "fail"]),
    })
    .optional(),
  config: z
    .object({
      recording: z
        .object({
          enabled: z.boolean(),
          layout: z.enum(["grid", "speaker", "single-speaker"]).optional(),
          encoding: Encoding.optional(),
        })
        .optional(),
      chat: Switch.optional(),
      virtualBackground: Switch.optional(),
      e2ee: Switch.optional(),
      captions: Switch.optional(),
    })
    .optional(),
  roles: z.object({ moderator: RoleUpdate.optional(), speaker: RoleUpdate.optional() }).optional(),
  access: z
    .object({
      anonymous: z
        .object({ moderator: Switch.optional(), speaker: Switch.optional(), recording: Switch.optional() })
        .optional(),
      user: Switch.optional(),
    })
    .optional(),
});

export const MemberToken = z.object({
  secret: z.string().optional(),
  joinMeeting: z.boolean().default(false),
  participantName: z.string().optional(),
});
