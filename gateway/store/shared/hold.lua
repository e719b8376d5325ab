-- One claim over all its levels: all pass, or none is touched. Money is whole nano-dollars below
-- 2^53, where doubles are exact; sums are kept by HINCRBY, which counts in 64 bits.
--
-- KEYS  holds, leases, lapsed, done; then for each level its rates and its windows, in ARGV's order
-- ARGV  now, lease, id ('' only looks), amount, expected, tokens, levels; then for each level
--       requests a minute, tokens a minute, parallel (0: no limit), number of windows; and for
--       each window its allowance, bucket, oldest bucket, seconds to keep it
-- gives the refusing level (0: none), why; then for each level its two arrivals and live holds,
--       and for each of its windows what is settled and what is held
local now, lease, id = tonumber(ARGV[1]), tonumber(ARGV[2]), ARGV[3]
local amount, tokens = tonumber(ARGV[4]), tonumber(ARGV[6])
local MINUTE, LAPSED_KEPT, REAPED = 60, 86400, 20

local function release(record, cost)
  for _, slot in ipairs(record.w) do
    redis.call('HINCRBY', slot[1], 'h:' .. slot[2], 0 - record.a)
    redis.call('HINCRBY', slot[1], 's:' .. slot[2], cost)
  end
  for _, rate in ipairs(record.r) do redis.call('HINCRBY', rate[1], 'n', -1) end
end

-- Holds whose process died: charged as expected, and remembered in case it settles after all.
for _, dead in ipairs(redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', now, 'LIMIT', 0, REAPED)) do
  local kept = redis.call('HGET', KEYS[1], dead)
  if kept then
    release(cjson.decode(kept), cjson.decode(kept).e)
    redis.call('HSET', KEYS[3], dead, kept)
    redis.call('EXPIRE', KEYS[3], LAPSED_KEPT)
  end
  redis.call('HDEL', KEYS[1], dead)
  redis.call('ZREM', KEYS[2], dead)
end

local levels, key, arg = {}, 5, 8
local refused, why = 0, ''

local function refuse(level, reason)
  if refused == 0 and id ~= '' then refused, why = level, reason end
end

local function sums(window)
  local settled, held, count = 0, 0, 0
  local all = redis.call('HGETALL', window.key)
  for i = 1, #all, 2 do
    local kind, bucket = all[i]:sub(1, 1), tonumber(all[i]:sub(3))
    local sum = tonumber(all[i + 1])
    if bucket < window.oldest and (kind == 's' or sum <= 0) then
      redis.call('HDEL', window.key, all[i])
    elseif bucket >= window.oldest then
      if kind == 's' then settled = settled + sum else held = held + sum end
    end
  end
  return settled, held
end

for n = 1, tonumber(ARGV[7]) do
  local level = {rates = KEYS[key], windows = {}}
  level.rpm, level.tpm = tonumber(ARGV[arg]), tonumber(ARGV[arg + 1])
  level.parallel = tonumber(ARGV[arg + 2])
  local state = redis.call('HMGET', level.rates, 'rt', 'tt', 'n')
  level.rt, level.tt = tonumber(state[1] or 0), tonumber(state[2] or 0)
  level.live = tonumber(state[3] or 0)
  local windows = tonumber(ARGV[arg + 3])
  key, arg = key + 1, arg + 4
  if level.parallel > 0 and level.live >= level.parallel then refuse(n, 'parallel') end
  level.next_rt, level.next_tt = level.rt, level.tt
  if level.rpm > 0 then
    level.next_rt = math.max(level.rt, now) + MINUTE / level.rpm
    if level.next_rt - now - MINUTE > 1e-6 then refuse(n, 'requests') end
  end
  if level.tpm > 0 then
    level.next_tt = math.max(level.tt, now) + tokens * MINUTE / level.tpm
    if level.next_tt - now - MINUTE > 1e-6 then refuse(n, 'tokens') end
  end
  for w = 1, windows do
    local window = {key = KEYS[key], bucket = ARGV[arg + 1], oldest = tonumber(ARGV[arg + 2])}
    window.ttl = tonumber(ARGV[arg + 3])
    window.settled, window.held = sums(window)
    if window.settled + window.held + amount > tonumber(ARGV[arg]) then refuse(n, 'allowance') end
    level.windows[w] = window
    key, arg = key + 1, arg + 4
  end
  levels[n] = level
end

-- Settled before it came: its caller has given up, and nobody would settle it again.
local over = id ~= '' and redis.call('ZSCORE', KEYS[4], id)

if refused == 0 and id ~= '' and not over then
  local record = {a = amount, e = tonumber(ARGV[5]), t = tokens, w = {}, r = {}}
  for _, level in ipairs(levels) do
    level.rt, level.tt, level.live = level.next_rt, level.next_tt, level.live + 1
    redis.call('HSET', level.rates, 'rt', string.format('%.6f', level.rt),
      'tt', string.format('%.6f', level.tt), 'n', level.live)
    redis.call('EXPIRE', level.rates, LAPSED_KEPT)
    record.r[#record.r + 1] = {level.rates, level.tpm}
    for _, window in ipairs(level.windows) do
      redis.call('HINCRBY', window.key, 'h:' .. window.bucket, ARGV[4])
      redis.call('EXPIRE', window.key, window.ttl)
      window.held = window.held + amount
      record.w[#record.w + 1] = {window.key, window.bucket}
    end
  end
  redis.call('HSET', KEYS[1], id, cjson.encode(record))
  redis.call('ZADD', KEYS[2], now + lease, id)
end

local told = {refused, why}
for _, level in ipairs(levels) do
  told[#told + 1] = string.format('%.6f', level.rt)
  told[#told + 1] = string.format('%.6f', level.tt)
  told[#told + 1] = level.live
  for _, window in ipairs(level.windows) do
    told[#told + 1] = string.format('%.0f', window.settled)
    told[#told + 1] = string.format('%.0f', window.held)
  end
end
return told
