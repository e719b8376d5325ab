-- What the ledger's scripts share: the instant, the windows, what a level's hash holds.
--
-- A level is one hash. An allowance of it has three fields: `.t`, the start of its newest bucket in
-- microseconds, and `.s` and `.h`, what is settled and held since its window began. A calendar
-- window is one bucket; of a rolling one 61 count, told apart by a number after `.s` and `.h`.
-- `requests` and `tokens` are theoretical arrivals in microseconds, `live` counts parallel calls.
--
-- Money and microseconds are whole numbers below 2^53, which Lua's doubles hold exactly, and which
-- a command is told exactly; only `..` would round them, so what is joined is spelt by `whole`.

local call, tonumber, floor, max = redis.call, tonumber, math.floor, math.max
local HOUR = 3600000000
local MINUTE = 60000000
local DAY = 86400000000
local RING = 61
local PARALLEL_WAIT = 1000000
local KEPT_HOLDS = 172800

local function whole(number)
  return string.format('%.0f', number)
end

-- A key that holds rubbish of another type is removed: it could never be read again.
local function sure(command, key, ...)
  local reply = redis.pcall(command, key, ...)
  if type(reply) == 'table' and reply.err then
    if not string.find(reply.err, 'WRONGTYPE', 1, true) then
      error(reply)
    end
    call('DEL', key)
    reply = call(command, key, ...)
  end
  return reply
end

local function instant(given)
  if given ~= '' then
    return tonumber(given)
  end
  local time = call('TIME')
  return time[1] * 1000000 + time[2]
end

-- The start of the bucket an instant lies in; a step of 0 is a calendar month.
local function start_of(at, step, shift)
  if step > 0 then
    return at - (at + shift) % step
  end
  -- Howard Hinnant's civil_from_days, as far as the day of the month.
  local days = floor(at / DAY)
  local era_day = (days + 719468) % 146097
  local year = floor(
    (era_day - floor(era_day / 1460) + floor(era_day / 36524) - floor(era_day / 146096)) / 365)
  local year_day = era_day - (365 * year + floor(year / 4) - floor(year / 100))
  local month = floor((5 * year_day + 2) / 153)
  return (days - year_day + floor((153 * month + 2) / 5)) * DAY
end

-- The levels as the caller describes them (in JSON), and what their hashes hold; the first of their
-- keys is KEYS[first].
local function read_levels(first, described)
  local levels = cjson.decode(described)
  for k, level in ipairs(levels) do
    local fields = {'requests', 'tokens', 'live'}
    for n, a in ipairs(level.windows) do
      fields[3 * n + 1], fields[3 * n + 2], fields[3 * n + 3] = a.t_field, a.s_field, a.h_field
    end
    level.key = KEYS[first + k - 1]
    local found = sure('HMGET', level.key, unpack(fields))
    level.next_request = tonumber(found[1]) or 0
    level.next_token = tonumber(found[2]) or 0
    level.live = tonumber(found[3]) or 0
    for n, a in ipairs(level.windows) do
      a.t = tonumber(found[3 * n + 1]) or 0
      a.s = tonumber(found[3 * n + 2]) or 0
      a.h = tonumber(found[3 * n + 3]) or 0
    end
  end
  return levels
end

-- A clock may step back (a failover); windows do not, so time waits for them. What lies more than
-- an hour ahead was written by a clock that was wrong.
local function latest(levels, now)
  local at = now
  for _, level in ipairs(levels) do
    for _, a in ipairs(level.windows) do
      if a.t > at then
        if a.t > now + HOUR then
          a.t = -1
        else
          at = a.t
        end
      end
    end
  end
  return at
end

-- Which of those that count a bucket is.
local function slot_of(a, bucket)
  return bucket / a.step % RING
end

-- Let an allowance go of the buckets that an instant leaves behind. Only the table changes; the
-- fields to delete are kept in `gone`.
local function advance(level, a, at)
  local bucket = start_of(at, a.step, a.shift)
  if a.t == bucket then
    return
  end
  -- Zero is a new one, which has nothing to let go of.
  if a.rolling and a.t ~= 0 then
    local steps = math.min((bucket - a.t) / a.step, RING)
    a.gone = {}
    for n = 1, steps do
      local slot = slot_of(a, bucket - (n - 1) * a.step)
      a.gone[2 * n - 1] = a.s_field .. slot
      a.gone[2 * n] = a.h_field .. slot
    end
    if steps < RING then
      local left = call('HMGET', level.key, unpack(a.gone))
      for n = 1, #left, 2 do
        a.s = max(0, a.s - (tonumber(left[n]) or 0))
        a.h = max(0, a.h - (tonumber(left[n + 1]) or 0))
      end
    end
  end
  if not a.gone or #a.gone == 2 * RING then
    a.s, a.h = 0, 0
  end
  a.was, a.t, a.moved = a.t, bucket, true
end

local function advance_all(levels, at)
  for _, level in ipairs(levels) do
    for _, a in ipairs(level.windows) do
      advance(level, a, at)
    end
  end
end

-- Write what has changed of a level: `settled` and `tokens` say whether those have.
local function write_level(level, settled, tokens)
  local fields, n = {}, 0
  local moved = #level.windows == 0
  if level.parallel >= 0 then
    fields[1], fields[2], n = 'live', level.live, 2
  end
  if level.requests >= 0 then
    fields[n + 1], fields[n + 2], n = 'requests', level.next_request, n + 2
  end
  if level.tokens >= 0 and tokens then
    fields[n + 1], fields[n + 2], n = 'tokens', level.next_token, n + 2
  end
  for _, a in ipairs(level.windows) do
    fields[n + 1], fields[n + 2], n = a.h_field, a.h, n + 2
    if settled or a.moved then
      fields[n + 1], fields[n + 2], n = a.s_field, a.s, n + 2
    end
    if a.moved then
      fields[n + 1], fields[n + 2], n = a.t_field, a.t, n + 2
      moved = true
    end
    if a.gone then
      call('HDEL', level.key, unpack(a.gone))
    end
  end
  if n > 0 then
    call('HSET', level.key, unpack(fields))
  end
  -- Whoever has a window lives on from bucket to bucket.
  if moved then
    call('EXPIRE', level.key, level.ttl)
  end
end

-- What a caller is told: a head, then arrivals, settled and held of each level.
local function told(levels, at, due, status, level, limited, wait)
  local reply = {status, at, due, level or 0, limited or 0, wait or 0}
  local n = 6
  for _, one in ipairs(levels) do
    reply[n + 1], reply[n + 2], n = one.next_request, one.next_token, n + 2
    for _, a in ipairs(one.windows) do
      reply[n + 1], reply[n + 2], n = a.s, a.h, n + 2
    end
  end
  return reply
end
