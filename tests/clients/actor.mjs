// What one release of openai-node is made to do; the twin of actor.py, case by case.
//
// Reads a plan from standard input and writes `{run: {case: result}}` to standard output.

import { readFileSync } from "node:fs";
import OpenAI from "openai";
import { zodResponseFormat, zodTextFormat } from "openai/helpers/zod";
import { z } from "zod";

// Longer than any case needs, shorter than the fault it meets.
const SHORT_TIMEOUT = 400;
// The simulated rate limit has passed by then.
const BREATH = 200;
const SLOW = "[[fault:slow=20]] Hello";
const STALLED = "[[fault:stall after=3]] Tell me a story about the sea.";
const TOOLS = [
  {
    type: "function",
    function: {
      name: "get_weather",
      description: "The weather in a city",
      parameters: {
        type: "object",
        properties: { city: { type: "string" }, days: { type: "integer" } },
        required: ["city", "days"],
        additionalProperties: false,
      },
      strict: true,
    },
  },
];
const Person = z.object({ name: z.string(), age: z.number(), likes: z.array(z.string()) });

const said = (stage, text, more = {}) => ({
  model: stage.model,
  messages: [{ role: "user", content: text }],
  ...more,
});

// Everything the client read, and the request id it keeps aside.
const dump = (found) => ({ ...found, _request_id: found._request_id ?? null });

const told = (error) => ({
  raised: error.constructor.name,
  status: error.status,
  code: error.code,
  type: error.type,
  param: error.param,
  message: error.message,
  body: error.error,
  request_id: error.requestID,
});

const ask = (stage, body, options = {}) =>
  stage.client.chat.completions.create(body, {
    ...options,
    headers: { "x-client-request-id": stage.mark, ...options.headers },
  });

// The same call on the other API.
const respond = (stage, text, more = {}, options = {}) =>
  stage.client.responses.create(
    { model: stage.model, input: text, ...more },
    { ...options, headers: { "x-client-request-id": stage.mark } },
  );

const [{ function: WEATHER }] = TOOLS;
const RESPONSE_TOOLS = [{ type: "function", ...WEATHER }];

const streamed = async (stage, body, options) =>
  untilItEnds(await ask(stage, { ...body, stream: true }, options));

const respondStreamed = async (stage, text, more = {}) =>
  untilItEnds(await respond(stage, text, { ...more, stream: true }));

async function untilItEnds(stream) {
  const chunks = [];
  try {
    for await (const chunk of stream) chunks.push(chunk);
  } catch (error) {
    return { chunks, error: told(error) };
  }
  return { chunks, error: null };
}

const CASES = {
  chat: async (stage) => dump(await ask(stage, said(stage, "What is inflation?"))),

  options: async (stage) => {
    const more = { n: 2, logprobs: true, top_logprobs: 2, seed: 7, max_completion_tokens: 12 };
    return dump(await ask(stage, said(stage, "Name a colour.", more)));
  },

  stream: (stage) => streamed(stage, said(stage, "Write two sentences about rivers, with an emoji.")),

  stream_usage: (stage) =>
    streamed(stage, said(stage, "Count to five.", { stream_options: { include_usage: true }, n: 2 })),

  stream_unpadded: (stage) =>
    streamed(stage, said(stage, "Count.", { stream_options: { include_obfuscation: false } })),

  stream_events: async (stage) => {
    const runner = stage.client.chat.completions.stream(said(stage, "Greet me."));
    const deltas = [];
    runner.on("content", (delta) => deltas.push(delta));
    return { final: await runner.finalChatCompletion(), deltas };
  },

  tools: async (stage) => {
    const text = "How is the weather in Paris and London?";
    return dump(await ask(stage, said(stage, text, { tools: TOOLS })));
  },

  tools_stream: (stage) => streamed(stage, said(stage, "Weather in Rome?", { tools: TOOLS })),

  parse: async (stage) => {
    const format = { response_format: zodResponseFormat(Person, "person") };
    return dump(await stage.client.chat.completions.parse(said(stage, "Invent a person.", format)));
  },

  vision: async (stage) => {
    const body = said(stage, "");
    body.messages[0].content = [
      { type: "text", text: "What is this?" },
      { type: "image_url", image_url: { url: stage.image, detail: "low" } },
    ];
    return dump(await ask(stage, body));
  },

  headers: async (stage) => {
    const { data, response } = await ask(stage, said(stage, "Hello")).withResponse();
    return { model: data.model, headers: Object.fromEntries(response.headers) };
  },

  stream_headers: async (stage) => {
    const response = await ask(stage, said(stage, "Hello", { stream: true })).asResponse();
    const lines = (await response.text()).split("\n");
    const { model } = JSON.parse(lines[0].slice("data: ".length));
    return { model, headers: Object.fromEntries(response.headers), lines };
  },

  kept: async (stage) => {
    const twice = [];
    for (const _ of [1, 2]) {
      const keep = { headers: { "x-gateway-cache": "force" } };
      const call = ask(stage, said(stage, "What is a kept reply?"), keep);
      const { data, response } = await call.withResponse();
      twice.push({ reply: dump(data), cache: response.headers.get("x-gateway-cache") });
    }
    return twice;
  },

  invalid: (stage) => ask(stage, said(stage, "Hello", { temperature: 9 })),

  invalid_stream: (stage) =>
    streamed(stage, said(stage, "Hello", { top_logprobs: 99, logprobs: true })),

  no_messages: (stage) => ask(stage, said(stage, "", { messages: [] })),

  unknown_model: (stage) => ask(stage, said(stage, "Hello", { model: "gpt-nonesuch" })),

  server_error: (stage) => ask(stage, said(stage, "[[fault:status=500]] Hello")),

  timeout: (stage) => ask(stage, said(stage, SLOW), { timeout: SHORT_TIMEOUT }),

  hang_up: async (stage) => {
    const chunks = [];
    for await (const chunk of await ask(stage, said(stage, STALLED, { stream: true }))) {
      chunks.push(chunk);
      if (chunks.length === 3) break;
    }
    return chunks;
  },

  cut: (stage) => streamed(stage, said(stage, "[[fault:cut after=3]] Tell me a story.")),

  silent: (stage) => streamed(stage, said(stage, "[[fault:silent after=3]] Tell me a story.")),

  error_event: (stage) =>
    streamed(stage, said(stage, "[[fault:error_event after=3]] Tell me a story.")),

  responses_chat: async (stage) => dump(await respond(stage, "What is inflation?")),

  responses_stream: (stage) => respondStreamed(stage, "Write two sentences about rivers."),

  responses_tools_round: async (stage) => {
    const text = "How is the weather in Paris and London?";
    const first = await respond(stage, text, { tools: RESPONSE_TOOLS });
    const answers = first.output
      .filter((item) => item.type === "function_call")
      .map(({ call_id }) => ({ type: "function_call_output", call_id, output: '{"sky":"clear"}' }));
    const input = [{ role: "user", content: text }, ...first.output, ...answers];
    return [dump(first), dump(await respond(stage, input, { tools: RESPONSE_TOOLS }))];
  },

  responses_tools_stream: (stage) =>
    respondStreamed(stage, "How is the weather in Rome?", { tools: RESPONSE_TOOLS }),

  responses_parse: async (stage) => {
    const text = { format: zodTextFormat(Person, "person") };
    const call = { model: stage.model, input: "Invent a person.", text };
    return dump(await stage.client.responses.parse(call));
  },

  responses_vision: (stage) => {
    const picture = { type: "input_image", image_url: stage.image, detail: "low" };
    const content = [{ type: "input_text", text: "What is this?" }, picture];
    return respond(stage, [{ role: "user", content }]);
  },

  responses_invalid: (stage) => respond(stage, "Hello", { temperature: 9 }),

  responses_unknown_model: (stage) => respond(stage, "Hello", { model: "gpt-nonesuch" }),

  responses_server_error: (stage) => respond(stage, "[[fault:status=500]] Hello"),

  responses_cut: (stage) => respondStreamed(stage, "[[fault:cut after=3]] Tell me a story."),

  responses_silent: (stage) => respondStreamed(stage, "[[fault:silent after=3]] Tell me a story."),

  responses_hang_up: async (stage) => {
    const chunks = [];
    for await (const chunk of await respond(stage, STALLED, { stream: true })) {
      chunks.push(chunk);
      if (chunks.length === 3) break;
    }
    return chunks;
  },

  models: async (stage) => {
    const ids = [];
    for await (const model of stage.client.models.list()) ids.push(model.id);
    const { id, object } = await stage.client.models.retrieve("gpt-4.1");
    return { ids, one: id, kind: object };
  },

  // The last: the gateway lets a deployment rest as long as it asked to be left alone.
  rate_limited: async (stage) => {
    try {
      return await ask(stage, said(stage, "[[fault:status=429 retry-after=0.05]] Hello"));
    } catch (error) {
      const waits = ["retry-after", "retry-after-ms"].map((name) => error.headers?.get(name));
      return { ...told(error), waits };
    } finally {
      await new Promise((resolve) => setTimeout(resolve, BREATH));
    }
  },
};

async function run(plan, image) {
  const results = {};
  const options = { baseURL: plan.url, apiKey: "sk-client", maxRetries: 0 };
  const client = new OpenAI(options);
  for (const [title, play] of Object.entries(CASES)) {
    if (plan.skip.includes(title)) continue;
    const mark = `${plan.mark}/${plan.name}/${title}`;
    try {
      results[title] = await play({ client, model: plan.model, mark, image });
    } catch (error) {
      results[title] = told(error);
    }
  }
  return results;
}

const plan = JSON.parse(readFileSync(0, "utf8"));
const results = {};
for (const each of plan.runs) results[each.name] = await run(each, plan.image);
process.stdout.write(JSON.stringify(results), () => process.exit(0));
