"""The chat models in a LiteLLM `model_list`, each as an address with a key and what is known of it.

Providers that speak OpenAI's protocol, by themselves or at an address they keep for it, are taken
over; others have no equivalent. Azure is reached by its v1 path, where a deployment's name is the
model's.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from gateway.settings.addresses import base_url
from gateway.settings.litellm_notes import Kind, Notes, reference
from gateway.settings.tiers import NAME

OPENAI = "openai"
KEYLESS = "unused"
"""Sent where no key is needed, so that the catalog's own key is not."""


class Provider(NamedTuple):
    """Where a provider speaks OpenAI's protocol, and the variable LiteLLM reads its key from."""

    url: str
    variable: str
    suffix: str = ""
    local: bool = False


_AZURE = Provider("${AZURE_API_BASE}", "AZURE_API_KEY", "/openai/v1")
_VLLM = Provider("${HOSTED_VLLM_API_BASE}", "HOSTED_VLLM_API_KEY", local=True)
_OLLAMA = Provider("http://localhost:11434", "OLLAMA_API_KEY", "/v1", local=True)
PROVIDERS: Mapping[str, Provider] = {
    OPENAI: Provider("", "OPENAI_API_KEY"),
    "custom_openai": Provider("", "OPENAI_API_KEY"),
    "openai_like": Provider("", "OPENAI_LIKE_API_KEY"),
    "azure": _AZURE,
    "azure_ai": Provider("${AZURE_AI_API_BASE}", "AZURE_AI_API_KEY", "/openai/v1"),
    "anthropic": Provider("https://api.anthropic.com/v1", "ANTHROPIC_API_KEY"),
    "cerebras": Provider("https://api.cerebras.ai/v1", "CEREBRAS_API_KEY"),
    "deepseek": Provider("https://api.deepseek.com/v1", "DEEPSEEK_API_KEY"),
    "fireworks_ai": Provider("https://api.fireworks.ai/inference/v1", "FIREWORKS_API_KEY"),
    "gemini": Provider("https://generativelanguage.googleapis.com/v1beta/openai", "GEMINI_API_KEY"),
    "groq": Provider("https://api.groq.com/openai/v1", "GROQ_API_KEY"),
    "hosted_vllm": _VLLM,
    "vllm": _VLLM,
    "litellm_proxy": Provider("${LITELLM_PROXY_API_BASE}", "LITELLM_PROXY_API_KEY"),
    "lm_studio": Provider("http://localhost:1234/v1", "LM_STUDIO_API_KEY", local=True),
    "mistral": Provider("https://api.mistral.ai/v1", "MISTRAL_API_KEY"),
    "nvidia_nim": Provider("https://integrate.api.nvidia.com/v1", "NVIDIA_NIM_API_KEY"),
    "ollama": _OLLAMA,
    "ollama_chat": _OLLAMA,
    "openrouter": Provider("https://openrouter.ai/api/v1", "OPENROUTER_API_KEY"),
    "perplexity": Provider("https://api.perplexity.ai", "PERPLEXITYAI_API_KEY"),
    "together_ai": Provider("https://api.together.xyz/v1", "TOGETHERAI_API_KEY"),
    "xai": Provider("https://api.x.ai/v1", "XAI_API_KEY"),
}
# Providers whose models are named without one, in LiteLLM: all other names are OpenAI's.
_FOREIGN = (
    *("bedrock", "vertex_ai", "sagemaker", "cohere", "cohere_chat", "huggingface", "replicate"),
    *("watsonx", "databricks", "snowflake", "cloudflare", "petals", "nlp_cloud", "predibase"),
    *(
        "text-completion-openai",
        "azure_text",
        "github_copilot",
        "github",
        "sambanova",
        "assemblyai",
    ),
    *("deepgram", "elevenlabs", "jina_ai", "voyage", "infinity", "triton", "oci", "aws_polly"),
)
_OTHER_WORK = re.compile(
    r"embed|dall-e|gpt-image|imagen|whisper|tts-|transcribe|rerank|moderation|realtime|sora"
)
_SAID = frozenset((
    *("model", "api_key", "api_base", "base_url", "api_version", "rpm", "tpm", "weight"),
    *("max_parallel_requests", "custom_llm_provider", "litellm_credential_name", "timeout"),
    *("stream_timeout", "max_retries", "num_retries", "input_cost_per_token", "base_model"),
    *("output_cost_per_token", "cache_read_input_token_cost", "drop_params"),
))  # fmt: skip


class Endpoint(NamedTuple):
    """A model at an address. `share` is LiteLLM's weight, rpm or tpm; `info` its `model_info`."""

    place: str
    public: str
    model: str
    provider: str
    base_url: str
    key: str
    share: int
    max_parallel: int
    info: Mapping[str, Any]

    @property
    def local(self) -> bool:
        """Whether its provider is a server of one's own."""
        return PROVIDERS[self.provider].local


def endpoints(values: Mapping[str, Any], found: Notes) -> list[Endpoint]:
    """The chat models that can be reached; `found` tells of the others."""
    credentials = _credentials(values.get("credential_list"))
    listed = []
    for number, entry in enumerate(values["model_list"]):
        place = f"model_list[{number}]"
        public = entry.get("model_name") if isinstance(entry, dict) else None
        params = entry.get("litellm_params") if isinstance(entry, dict) else None
        if not isinstance(public, str) or not isinstance(params, dict):
            found.add(Kind.LOST, place, "has no model_name or no litellm_params")
            continue
        info = entry.get("model_info")
        named = params.get("litellm_credential_name")
        params = {**credentials.get(named, {}), **params} if isinstance(named, str) else params
        endpoint = _endpoint(place, public, params, info if isinstance(info, dict) else {}, found)
        if endpoint is not None:
            listed.append(endpoint)
    return listed


def variables(values: object) -> Iterator[str]:
    """The variables a configuration names, and those it reads where it names no key."""
    if isinstance(values, str):
        if (named := reference(values)) is not None:
            yield named[2:-1]
    elif isinstance(values, list):
        for value in values:
            yield from variables(value)
    elif isinstance(values, dict):
        params = values.get("litellm_params")
        if isinstance(params, dict) and not params.get("api_key"):
            provider = PROVIDERS.get(_split(params)[0])
            yield provider.variable if provider else ""
        for value in values.values():
            yield from variables(value)


def number(value: object) -> int:
    """A positive whole number, or 0."""
    try:
        amount = int(value) if isinstance(value, int | float | str) else 0
    except (ValueError, OverflowError):
        return 0
    return max(amount, 0)


def _credentials(value: object) -> dict[str, dict[str, Any]]:
    named = {}
    for item in value if isinstance(value, list) else ():
        name = item.get("credential_name") if isinstance(item, dict) else None
        said = item.get("credential_values") if isinstance(item, dict) else None
        if isinstance(name, str) and isinstance(said, dict):
            named[name] = said
    return named


def _endpoint(
    place: str, public: str, params: Mapping[str, Any], info: Mapping[str, Any], found: Notes
) -> Endpoint | None:
    provider, model = _split(params)
    refusal = _refusal(provider, model, info, params)
    if refusal is not None:
        found.add(refusal[0], f"{place} ({public})", refusal[1])
        return None
    url = _url(PROVIDERS[provider], params)
    if url is None:
        found.add(Kind.LOST, f"{place} ({public})", "its api_base is no address")
        return None
    for name in params:
        if name not in _SAID:
            words = "a default or option of one deployment; let callers say it"
            found.add(Kind.LOST, f"{place}.litellm_params.{name}", words)
    for name in ("timeout", "stream_timeout", "max_retries", "num_retries"):
        if name in params:
            words = "is one for all deployments, under upstream"
            found.add(Kind.DIFFERS, f"{place}.litellm_params.{name}", words)
    shares = (number(params.get(name)) for name in ("weight", "rpm", "tpm"))
    return Endpoint(
        place,
        public,
        model,
        provider,
        url,
        _key(PROVIDERS[provider], params, place, found),
        next((share for share in shares if share), 0),
        number(params.get("max_parallel_requests")),
        {**_costs(params), **info},
    )


def _split(params: Mapping[str, Any]) -> tuple[str, str]:
    """The provider and the model's name there."""
    model = params.get("model")
    model = model if isinstance(model, str) else ""
    head, slash, tail = model.partition("/")
    if slash and (head in PROVIDERS or head in _FOREIGN):
        return head, tail
    told = params.get("custom_llm_provider")
    if isinstance(told, str) and told:
        return told, model
    return ("anthropic" if model.startswith("claude") else OPENAI), model


def _refusal(
    provider: str, model: str, info: Mapping[str, Any], params: Mapping[str, Any]
) -> tuple[Kind, str] | None:
    mode = info.get("mode")
    if (isinstance(mode, str) and mode not in {"chat", "completion", "responses"}) or (
        mode is None and _OTHER_WORK.search(model)
    ):
        return Kind.DIFFERS, "no chat model: its endpoint passes through to catalog.base_url"
    if provider not in PROVIDERS:
        return Kind.LOST, "its provider does not speak OpenAI's protocol"
    if provider in {"litellm_proxy", "openai_like"} and not params.get("api_base"):
        return Kind.LOST, "has no api_base"
    if "*" in model:
        return Kind.LOST, "a pattern of models: list those that are to stand behind tiers"
    if not NAME.fullmatch(model):
        return Kind.LOST, "its model has a name that cannot be a label"
    return None


def _url(provider: Provider, params: Mapping[str, Any]) -> str | None:
    said = params.get("api_base") or params.get("base_url") or provider.url
    if not said:
        return ""
    url = reference(said) or str(said).partition("?")[0].rstrip("/")
    if provider.suffix == _AZURE.suffix:
        url = url.partition("/openai")[0].removesuffix("/models")
    url = url if url.endswith(provider.suffix or "/") else url + provider.suffix
    try:
        # A reference stands for a host, or for the whole beginning.
        # LiteLLM adds nothing to a host alone.
        bare = "/" if url.count("/") == 2 else ""
        return url if url.startswith("${") else base_url(url + bare) + bare
    except ValueError:
        return None


def _key(provider: Provider, params: Mapping[str, Any], place: str, found: Notes) -> str:
    said = params.get("api_key")
    if not said and provider.local:
        return KEYLESS
    return found.key(said, f"{place}.litellm_params.api_key", provider.variable)


def _costs(params: Mapping[str, Any]) -> dict[str, Any]:
    names = ("input_cost_per_token", "output_cost_per_token", "cache_read_input_token_cost")
    return {n: params[n] for n in (*names, "base_model") if n in params}
