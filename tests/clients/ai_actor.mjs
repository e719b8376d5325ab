// What one release of the AI SDK is made to do, with OpenAI's provider, on chat and on responses.
//
// Reads a plan from standard input and writes `{run: {case: result}}` to standard output.

import { readFileSync } from "node:fs";
import { createOpenAI } from "@ai-sdk/openai";
import { generateText, jsonSchema, Output, streamText, tool } from "ai";
import { z } from "zod";

// Longer than any case needs, shorter than the fault it meets.
const SHORT_TIMEOUT = 400;
// The simulated rate limit has passed by then.
const BREATH = 200;
const STALLED = "[[fault:stall after=9]] Tell me a story about the sea.";
const WEATHER = tool({
  description: "The weather in a city",
  inputSchema: jsonSchema({
    type: "object",
    properties: { city: { type: "string" } },
    required: ["city"],
    additionalProperties: false,
  }),
});

const told = (error) => ({
  raised: error.name,
  status: error.statusCode,
  message: error.message,
  body: error.data,
  retryable: error.isRetryable,
});

// What a caller of the SDK looks at.
const dump = (result) => ({
  model: result.response.modelId,
  id: result.response.id,
  text: result.text,
  calls: result.toolCalls?.map(({ toolCallId, toolName, input }) => [toolCallId, toolName, input]),
  finish: result.finishReason,
  usage: result.usage,
  headers: result.response.headers,
});

const usual = (stage, prompt) => ({
  model: stage.provider[stage.api](stage.model),
  prompt,
  maxRetries: 0,
  headers: { "x-client-request-id": stage.mark },
});

async function streamed(stage, prompt, more = {}) {
  const parts = [];
  const result = streamText({ ...usual(stage, prompt), ...more, onError: () => {} });
  let model, error = null;
  for await (const part of result.fullStream) {
    if (part.type === "error") error = part.error?.message ?? JSON.stringify(part.error);
    else if (part.type === "finish-step") model = part.response.modelId;
    else if (/^(text|tool|reasoning)-/.test(part.type)) parts.push(part);
  }
  return { model, chunks: parts, error };
}

const CASES = {
  chat: async (stage) => dump(await generateText(usual(stage, "What is inflation?"))),

  stream: (stage) => streamed(stage, "Write two sentences about rivers, with an emoji."),

  tools: async (stage) => {
    const call = usual(stage, "How is the weather in Paris and London?");
    return dump(await generateText({ ...call, tools: { get_weather: WEATHER } }));
  },

  tools_stream: (stage) =>
    streamed(stage, "How is the weather in Rome?", { tools: { get_weather: WEATHER } }),

  parse: async (stage) => {
    const schema = z.object({ name: z.string(), age: z.number() });
    const call = { ...usual(stage, "Invent a person."), output: Output.object({ schema }) };
    const result = await generateText(call);
    return { ...dump(result), output: result.output };
  },

  invalid: async (stage) => generateText({ ...usual(stage, "Hello"), temperature: 9 }),

  unknown_model: async (stage) =>
    generateText(usual({ ...stage, model: "gpt-nonesuch" }, "Hello")),

  server_error: async (stage) => generateText(usual(stage, "[[fault:status=500]] Hello")),

  timeout: async (stage) => {
    const abortSignal = AbortSignal.timeout(SHORT_TIMEOUT);
    return generateText({ ...usual(stage, "[[fault:slow=20]] Hello"), abortSignal });
  },

  hang_up: async (stage) => {
    const hanging = new AbortController();
    const call = { ...usual(stage, STALLED), abortSignal: hanging.signal, onError: () => {} };
    const texts = [];
    for await (const text of streamText(call).textStream) {
      texts.push(text);
      if (texts.length === 2) hanging.abort();
    }
    return texts;
  },

  silent: (stage) => streamed(stage, "[[fault:silent after=3]] Tell me a story."),

  // Last on either API: the gateway lets a deployment rest as long as it asked to be left alone.
  rate_limited: async (stage) => {
    try {
      return await generateText(usual(stage, "[[fault:status=429 retry-after=0.05]] Hello"));
    } finally {
      await new Promise((resolve) => setTimeout(resolve, BREATH));
    }
  },
};

const BOTH = ["chat", "responses"].flatMap((api) =>
  Object.entries(CASES).map(([title, play]) => {
    return [api === "chat" ? title : `responses_${title}`, api, play];
  }),
);

async function run(plan) {
  const results = {};
  const provider = createOpenAI({ baseURL: plan.url, apiKey: "sk-client" });
  for (const [title, api, play] of BOTH) {
    if (plan.skip.includes(title)) continue;
    const mark = `${plan.mark}/${plan.name}/${title}`;
    try {
      results[title] = await play({ provider, api, model: plan.model, mark });
    } catch (error) {
      results[title] = told(error);
    }
  }
  return results;
}

globalThis.AI_SDK_LOG_WARNINGS = false;
const plan = JSON.parse(readFileSync(0, "utf8"));
const results = {};
for (const each of plan.runs) results[each.name] = await run(each);
process.stdout.write(JSON.stringify(results), () => process.exit(0));
