-- Releases a hold, charges what the call cost, and adds to the records of spend. Once a call.
--
-- KEYS  holds, leases, lapsed, done, spend of the day; then the windows of a claim nobody held
-- ARGV  now, id ('' for a call without a claim), cost, tokens used (-1: unknown), account,
--       most accounts a day, seconds to keep the records; calls, prompt, cached, completion,
--       reasoning, cost, estimated, saved; then a bucket and a time to keep for each such window
local now, id, cost, used = tonumber(ARGV[1]), ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])
local MINUTE, DONE_SECONDS = 60, 3600

if id ~= '' then
  if redis.call('ZADD', KEYS[4], 'NX', now, id) == 0 then return 0 end
  redis.call('ZREMRANGEBYSCORE', KEYS[4], '-inf', now - DONE_SECONDS)
  redis.call('EXPIRE', KEYS[4], DONE_SECONDS)
  local held, lapsed = redis.call('HGET', KEYS[1], id), redis.call('HGET', KEYS[3], id)
  if held then
    local record = cjson.decode(held)
    for _, slot in ipairs(record.w) do
      redis.call('HINCRBY', slot[1], 'h:' .. slot[2], 0 - record.a)
      redis.call('HINCRBY', slot[1], 's:' .. slot[2], cost)
    end
    for _, rate in ipairs(record.r) do
      redis.call('HINCRBY', rate[1], 'n', -1)
      if used >= 0 and rate[2] > 0 then
        local arrival = tonumber(redis.call('HGET', rate[1], 'tt') or 0)
        arrival = arrival + (used - record.t) * MINUTE / rate[2]
        redis.call('HSET', rate[1], 'tt', string.format('%.6f', arrival))
      end
    end
    redis.call('HDEL', KEYS[1], id)
    redis.call('ZREM', KEYS[2], id)
  elseif lapsed then
    local record = cjson.decode(lapsed)
    for _, slot in ipairs(record.w) do
      redis.call('HINCRBY', slot[1], 's:' .. slot[2], cost - record.e)
    end
    redis.call('HDEL', KEYS[3], id)
  else
    for w = 6, #KEYS do
      local at = 16 + (w - 6) * 2
      redis.call('HINCRBY', KEYS[w], 's:' .. ARGV[at], cost)
      redis.call('EXPIRE', KEYS[w], ARGV[at + 1])
    end
  end
end

local account = ARGV[5]
if redis.call('HEXISTS', KEYS[5], account .. '1') == 0
  and redis.call('HLEN', KEYS[5]) >= 8 * tonumber(ARGV[6]) then
  account = 'other\31other\31other\31other\31none\31'
end
for n = 1, 8 do redis.call('HINCRBY', KEYS[5], account .. n, ARGV[7 + n]) end
redis.call('EXPIRE', KEYS[5], ARGV[7])
return 1
