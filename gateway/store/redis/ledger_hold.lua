-- Pass all levels of a claim, or touch none.
--
-- KEYS holds, leases, the claim's mark, the levels' hashes.
-- ARGV now (empty: this server's clock), claim, amount, expected, tokens, lease, the account to be
--      charged when the lease is over, the levels.
-- Answers as `told`: status 0 refused, 1 held, 2 over before it came to this.

local now = instant(ARGV[1])
local id = ARGV[2]
local amount = tonumber(ARGV[3])
local tokens = tonumber(ARGV[5])
local levels = read_levels(4, ARGV[8])
local at = latest(levels, now)
advance_all(levels, at)
local due = sure('ZCOUNT', KEYS[2], '-inf', now)

if call('EXISTS', KEYS[3]) == 1 then
  return told(levels, at, due, 2)
end

local kept = sure('HGET', KEYS[1], id)
if kept then
  -- Held already, in the instant it was held first; or its lease was over, and it is lost.
  local first = string.match(kept, '^%d+')
  return told(levels, first and tonumber(first) or at, due, first and 1 or 2)
end

-- How long until so much of an allowance is let go.
local function frees(level, a, over)
  if not a.rolling then
    return (a.step > 0 and a.t + a.step or start_of(a.t + 32 * DAY, 0, 0)) - at
  end
  local last = a.moved and a.was or a.t
  local fields, buckets = {}, {}
  for bucket = a.t - (RING - 1) * a.step, last, a.step do
    buckets[#buckets + 1] = bucket
    fields[#fields + 1] = a.s_field .. slot_of(a, bucket)
    fields[#fields + 1] = a.h_field .. slot_of(a, bucket)
  end
  local sums = #fields > 0 and call('HMGET', level.key, unpack(fields)) or {}
  for n, bucket in ipairs(buckets) do
    over = over - (tonumber(sums[2 * n - 1]) or 0) - (tonumber(sums[2 * n]) or 0)
    if over <= 0 then
      return bucket + RING * a.step - at
    end
  end
  return a.t + RING * a.step - at
end

-- How long until a level's allowances hold the claim; -1: they never will.
local function spent(level)
  local wait = 0
  for _, a in ipairs(level.windows) do
    local over = a.s + a.h + amount - a.amount
    if amount > a.amount then
      return -1
    elseif over > 0 then
      wait = max(wait, frees(level, a, over))
    end
  end
  return math.ceil(wait)
end

-- How long units of a rate must wait, and its arrival once they are let through.
local function rated(limit, units, arrival)
  local moved = max(arrival, at) + units * MINUTE / max(limit, 0.001)
  return moved - at - MINUTE, moved
end

for n, level in ipairs(levels) do
  if level.parallel >= 0 and level.live >= level.parallel then
    return told(levels, at, due, 0, n, 1, PARALLEL_WAIT)
  end
  if level.requests >= 0 then
    local wait, arrival = rated(level.requests, 1, level.next_request)
    if wait > 1 then
      return told(levels, at, due, 0, n, 2, level.requests == 0 and -1 or math.ceil(wait))
    end
    level.request_moved = arrival
  end
  if level.tokens >= 0 then
    local wait, arrival = rated(level.tokens, tokens, level.next_token)
    if wait > 1 then
      return told(levels, at, due, 0, n, 3, tokens > level.tokens and -1 or math.ceil(wait))
    end
    level.token_moved = arrival
  end
  for _, a in ipairs(level.windows) do
    if a.s + a.h + amount > a.amount then
      return told(levels, at, due, 0, n, 4, spent(level))
    end
  end
end

local figures = table.concat({whole(at), ARGV[3], ARGV[4], ARGV[5]}, ' ')
call('HSET', KEYS[1], id, table.concat({figures, ARGV[7], ARGV[8]}, '\n'))
call('ZADD', KEYS[2], now + ARGV[6], id)
call('EXPIRE', KEYS[1], KEPT_HOLDS)
call('EXPIRE', KEYS[2], KEPT_HOLDS)
for _, level in ipairs(levels) do
  level.live = level.live + 1
  level.next_request = level.request_moved or level.next_request
  level.next_token = level.token_moved or level.next_token
  for _, a in ipairs(level.windows) do
    a.h = a.h + amount
  end
  write_level(level, false, true)
  for _, a in ipairs(level.windows) do
    if a.rolling then
      call('HINCRBY', level.key, a.h_field .. slot_of(a, a.t), ARGV[3])
    end
  end
end
return told(levels, at, due, 1)
