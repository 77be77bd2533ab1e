/** Milliseconds for which the rest of a refused body is read. A client that reads the response stops before. */
const patienceMs = 30_000;

/** The request for the application, and the response for the client. */
interface ReadToItsEnd {
  readonly request: Request;
  answer(response: Response): Promise<Response>;
}

/**
 * Reads the rest of a body whose request is refused before its end, such as a layer that a registry refuses by its
 * first bytes. workerd closes the connection of a request whose body is not read (kj, http.c++,
 * `canceledUploadGraceBytes`: 64 KiB), and a client that still writes then reports `broken pipe` in place of the
 * refusal (Go, net/http, transport.go).
 */
export function readToItsEnd(request: Request): ReadToItsEnd {
  const { body } = request;
  if (body === null) return { request, answer: async (response) => response };
  const reader = (body as ReadableStream<Uint8Array>).getReader();
  const passedOn = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const { done, value } = await reader.read();
        if (done) controller.close();
        else controller.enqueue(value);
      },
    },
    { highWaterMark: 0 },
  );
  return {
    request: new Request(request, { body: passedOn }),
    async answer(response) {
      if (response.status < 400) return response;
      const body = await shortBody(response);
      const late = new Promise((resolve) => setTimeout(resolve, patienceMs));
      const ended = Promise.race([discard(reader), late]);
      return new Response(endingWith(body, ended), response);
    },
  };
}

async function discard(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<void> {
  try {
    while (!(await reader.read()).done);
  } catch {
    // The client has left: its connection is closed.
  }
}

/** Bytes of an error that are read before it is sent. */
const shortBytes = 65_536;

/**
 * The body of an error. It is read at once, because a registry that has refused an upload may reset the connection
 * while workerd still writes to it. @returns the stream itself where it is long, or its length is not known.
 */
async function shortBody(response: Response): Promise<ReadableStream | Uint8Array | null> {
  const length = Number(response.headers.get('content-length') ?? Number.POSITIVE_INFINITY);
  if (response.body === null || length > shortBytes) return response.body;
  const bytes = await response.arrayBuffer().catch(() => new ArrayBuffer(0));
  // White space keeps the length that the headers have.
  return bytes.byteLength === length ? new Uint8Array(bytes) : new Uint8Array(length).fill(0x20);
}

/** The same bytes, sent at once; the stream ends when `ended` has, too. */
function endingWith(body: ReadableStream | Uint8Array | null, ended: Promise<unknown>): ReadableStream {
  const { readable, writable } = new IdentityTransformStream();
  const send = async () => {
    if (body) await new Response(body).body?.pipeTo(writable, { preventClose: true });
    await ended;
    await writable.close();
  };
  send().catch(() => writable.abort().catch(() => undefined));
  return readable;
}
