// What a user of OpenAI's Node SDK does; prints one JSON object: case → what came of it.
//   node script.mjs BASE_URL MODEL
import OpenAI from "openai";

const [baseURL, model] = process.argv.slice(2);
const client = new OpenAI({ baseURL, apiKey: "client-key", maxRetries: 0, timeout: 30_000 });
const create = (body, options) => client.chat.completions.create({ model, ...body }, options);
const said = (text) => [{ role: "user", content: text }];

const TOOL = {
  type: "function",
  function: {
    name: "get_weather",
    description: "Tell the weather",
    parameters: { type: "object", properties: { city: { type: "string" } }, required: ["city"] },
  },
};
const SCHEMA = {
  type: "json_schema",
  json_schema: {
    name: "person",
    strict: true,
    schema: {
      type: "object",
      properties: { name: { type: "string" }, age: { type: "integer" } },
      required: ["name", "age"],
      additionalProperties: false,
    },
  },
};
const PIXEL =
  "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

function plain({ created, _request_id, ...rest }) {
  return rest;
}

async function chunks(body) {
  const all = [];
  for await (const chunk of await create({ ...body, stream: true })) all.push(plain(chunk));
  return all;
}

async function failing(call) {
  try {
    await call();
  } catch (error) {
    return [error.constructor.name, error.status ?? null, error.code ?? null, error.type ?? null];
  }
  return "no error";
}

async function breaking(body) {
  try {
    await chunks(body);
  } catch {
    return "raised";
  }
  return "ended as if whole";
}

async function closed() {
  const stream = await create({ messages: said("Write a long essay on tides."), stream: true });
  for await (const chunk of stream) {
    stream.controller.abort();
    return plain(chunk);
  }
}

const picture = [
  { type: "text", text: "What is in this picture?" },
  { type: "image_url", image_url: { url: PIXEL } },
];
const weather = { messages: said("Weather in Oslo?"), tools: [TOOL] };
const results = {
  chat: plain(await create({ messages: said("What is the capital of France?") })),
  stream: await chunks({ messages: said("Hello!") }),
  "stream with usage": await chunks({
    messages: said("Hello!"),
    stream_options: { include_usage: true },
  }),
  tools: plain(await create(weather)),
  "streamed tools": await chunks(weather),
  "structured output": plain(
    await create({ messages: said("Ada is 36."), response_format: SCHEMA }),
  ),
  vision: plain(await create({ messages: [{ role: "user", content: picture }] })),
  "closed stream": await closed(),
  400: await failing(() => create({ messages: [] })),
  404: await failing(() => create({ model: "gpt-99", messages: said("Hi") })),
  429: await failing(() => create({ messages: said("[[fault:status=429 retry-after=30]] Hi") })),
  500: await failing(() => create({ messages: said("[[fault:status=500]] Hi") })),
  timeout: await failing(() =>
    create({ messages: said("[[fault:slow=5]] Hi") }, { timeout: 500 }),
  ),
  "cut stream": await breaking({ messages: said("[[fault:cut]] Explain tides.") }),
  "a model": (await client.models.retrieve("gpt-4.1-mini")).id,
};
process.stdout.write(JSON.stringify(results));
