"""Configurations of LiteLLM proxies as people write them."""

OPENAI_FAMILY = """
model_list:
  - model_name: gpt-4.1
    litellm_params: {model: openai/gpt-4.1, api_key: os.environ/OPENAI_API_KEY}
  - model_name: gpt-4.1-mini
    litellm_params: {model: openai/gpt-4.1-mini, api_key: os.environ/OPENAI_API_KEY}
  - model_name: gpt-4.1-nano
    litellm_params: {model: gpt-4.1-nano, api_key: os.environ/OPENAI_API_KEY}
  - model_name: text-embedding-3-small
    litellm_params: {model: openai/text-embedding-3-small, api_key: os.environ/OPENAI_API_KEY}
general_settings:
  master_key: sk-very-secret-master
"""

AZURE_BALANCED = """
model_list:
  - model_name: gpt-4o
    litellm_params:
      model: azure/gpt-4o
      api_base: https://eu.openai.azure.com/
      api_key: os.environ/AZURE_API_KEY_EU
      api_version: "2024-10-21"
      rpm: 600
  - model_name: gpt-4o
    litellm_params:
      model: azure/gpt-4o
      api_base: https://ca.openai.azure.com/openai/deployments/gpt-4o?api-version=2024-10-21
      api_key: os.environ/AZURE_API_KEY_CA
      rpm: 200
  - model_name: gpt-4o
    litellm_params:
      model: azure/my-gpt4o-spare
      api_base: os.environ/AZURE_SPARE_BASE
      api_key: os.environ/AZURE_API_KEY_CA
  - model_name: small
    litellm_params:
      model: azure/prod-gpt41-mini
      api_base: https://eu.openai.azure.com
      api_key: os.environ/AZURE_API_KEY_EU
      max_parallel_requests: 50
    model_info:
      base_model: azure/gpt-4.1-mini
router_settings:
  routing_strategy: usage-based-routing-v2
  redis_host: os.environ/REDIS_HOST
  redis_port: os.environ/REDIS_PORT
  redis_password: os.environ/REDIS_PASSWORD
  num_retries: 2
  timeout: 30
  allowed_fails: 3
  cooldown_time: 60
  enable_pre_call_checks: true
  fallbacks: [{"small": ["gpt-4o"]}]
"""

MIXED_PROVIDERS = """
model_list:
  - model_name: claude-sonnet
    litellm_params:
      model: anthropic/claude-sonnet-4-5
      api_key: sk-ant-literal-key-in-the-file
    model_info: {input_cost_per_token: 3.0e-06, output_cost_per_token: 1.5e-05}
  - model_name: llama-fast
    litellm_params:
      model: groq/llama-3.1-8b-instant
      api_key: os.environ/GROQ_API_KEY
      input_cost_per_token: 0.00000005
      output_cost_per_token: 0.00000008
  - model_name: deepseek
    litellm_params: {model: deepseek/deepseek-chat, temperature: 0.2}
  - model_name: router-gpt
    litellm_params: {model: openrouter/openai/gpt-4.1, api_key: os.environ/OPENROUTER_API_KEY}
  - model_name: bedrock-claude
    litellm_params:
      model: bedrock/anthropic.claude-3-sonnet-20240229-v1:0
      aws_region_name: us-east-1
litellm_settings:
  drop_params: true
  num_retries: 20
  request_timeout: 600
  success_callback: ["langfuse"]
  cache: true
  cache_params: {type: redis, host: localhost, port: 6379, password: hunter2secret, ttl: 300}
"""

LOCAL_SERVERS = """
model_list:
  - model_name: llama3
    litellm_params: {model: ollama_chat/llama3.1, api_base: "http://localhost:11434"}
  - model_name: qwen-big
    litellm_params:
      model: hosted_vllm/Qwen/Qwen2.5-72B-Instruct
      api_base: http://vllm.internal:8000/v1
    model_info:
      max_input_tokens: 32768
      max_output_tokens: 8192
      supports_function_calling: true
      supports_vision: false
litellm_settings: {set_verbose: true, json_logs: true, modify_params: false}
"""

ONE_MODEL_WITH_BUDGETS = """
model_list:
  - model_name: "*"
    litellm_params: {model: "openai/*", api_key: os.environ/OPENAI_API_KEY}
  - model_name: chat
    litellm_params: {model: gpt-5.4-mini-2026-03-17, litellm_credential_name: main}
credential_list:
  - credential_name: main
    credential_values: {api_key: os.environ/MAIN_OPENAI_KEY, api_base: https://eu.api.openai.com/v1}
litellm_settings:
  max_budget: 100
  budget_duration: 30d
  default_internal_user_params: {max_budget: 5, budget_duration: 1d}
  upperbound_key_generate_params: {max_budget: 100, rpm_limit: 60}
  default_team_settings: [{team_id: a, success_callback: [langfuse]}]
general_settings:
  master_key: os.environ/LITELLM_MASTER_KEY
  database_url: postgresql://user:dbpassword@db:5432/litellm
  store_model_in_db: true
  global_max_parallel_requests: 500
  max_request_size_mb: 16
  alerting: [slack]
  allow_requests_on_db_unavailable: true
  background_health_checks: true
  proxy_batch_write_at: 10
environment_variables: {LANGFUSE_SECRET_KEY: lf-secret-value}
"""

MANY_MODELS = """
model_list:
  - {model_name: a, litellm_params: {model: gpt-5.6-luna, api_key: sk-first-literal, weight: 9}}
  - {model_name: a, litellm_params: {model: gpt-5.6-luna, api_key: sk-second-literal, weight: 1}}
  - {model_name: gpt-4o, litellm_params: {model: gpt-4o, api_key: sk-first-literal}}
  - {model_name: gpt-4.1, litellm_params: {model: gpt-4.1, api_key: sk-first-literal}}
  - {model_name: astra, litellm_params: {model: gpt-6-astra, api_key: sk-first-literal}}
  - {model_name: images, litellm_params: {model: dall-e-3, api_key: os.environ/IMAGES}}
  - {model_name: broken}
router_settings:
  model_group_alias: {"my alias": gpt-4o, best: astra}
  routing_strategy: simple-shuffle
  retry_policy: {TimeoutErrorRetries: 3}
  enable_tag_filtering: true
litellm_settings:
  cache: false
  cache_params: {type: qdrant-semantic, mode: default_off, similarity_threshold: 0.8}
guardrails: [{guardrail_name: pii}]
mcp_servers: {}
include: [other.yaml]
files_settings: []
"""

EVERY = {
    "openai family": OPENAI_FAMILY,
    "azure balanced": AZURE_BALANCED,
    "mixed providers": MIXED_PROVIDERS,
    "local servers": LOCAL_SERVERS,
    "one model with budgets": ONE_MODEL_WITH_BUDGETS,
    "many models": MANY_MODELS,
}
SECRETS = (
    *("sk-very-secret-master", "sk-ant-literal", "hunter2secret", "dbpassword", "lf-secret-value"),
    *("sk-first-literal", "sk-second-literal"),
)
