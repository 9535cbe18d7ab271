import { connect } from "node:net";

const deadline = 2_000;

/** `ping` for the database `admin`, as an OP_MSG with one BSON document. */
function mongoPing(): Buffer {
  const text = (type: number, name: string, value: string) =>
    Buffer.concat([Buffer.from([type]), Buffer.from(`${name}\0`), int32(value.length + 1), Buffer.from(`${value}\0`)]);
  const fields = Buffer.concat([Buffer.from([0x10]), Buffer.from("ping\0"), int32(1), text(0x02, "$db", "admin")]);
  const document = Buffer.concat([int32(fields.length + 5), fields, Buffer.from([0])]);
  const body = Buffer.concat([int32(1), int32(0), int32(2013), int32(0), Buffer.from([0]), document]);
  return Buffer.concat([int32(body.length + 4), body]);
}

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32LE(value);
  return bytes;
}

/** Whether a server of the MongoDB protocol answers a ping there with `ok: 1`. */
export function answersMongo(port: number): Promise<boolean> {
  const ok = Buffer.concat([Buffer.from("\x01ok\0"), Buffer.from([0, 0, 0, 0, 0, 0, 0xf0, 0x3f])]);
  return exchange(port, mongoPing(), (answer) => answer.includes(ok));
}

/** Whether a NATS server with JetStream answers a ping there. */
export function answersNats(port: number): Promise<boolean> {
  const hello = 'CONNECT {"verbose":false,"pedantic":false}\r\nPING\r\n';
  return exchange(
    port,
    Buffer.from(hello),
    (answer) => answer.includes("PONG\r\n") && answer.includes('"jetstream":true'),
  );
}

/** Whether the address answers with a success. */
export async function answersHttp(url: string): Promise<boolean> {
  try {
    const answer = await fetch(url, { signal: AbortSignal.timeout(deadline) });
    await answer.arrayBuffer();
    return answer.ok;
  } catch {
    return false;
  }
}

function exchange(port: number, request: Buffer, isAnswer: (received: Buffer) => boolean): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: "127.0.0.1" });
    let received: Buffer = Buffer.alloc(0);
    const finish = (result: boolean) => {
      socket.destroy();
      resolve(result);
    };
    socket.setTimeout(deadline, () => finish(false));
    socket.on("connect", () => socket.write(request));
    socket.on("data", (chunk) => {
      received = Buffer.concat([received, chunk]);
      if (isAnswer(received)) finish(true);
    });
    socket.on("error", () => finish(false));
    socket.on("close", () => finish(false));
  });
}
