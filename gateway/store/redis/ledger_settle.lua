-- End a hold: charge what was spent (or what was expected, of a process that died), release the
-- rest, and write it into the records of spend. Once, however often it is asked.
--
-- KEYS holds, leases, the claim's mark, the day's records, the levels' hashes.
-- ARGV now (empty: this server's clock), 1 if this was sent before, how (settle, charge, void,
--      lapse), claim, when it was made, amount, tokens claimed, tokens used (-1: unknown), cost,
--      seconds a settling is remembered, seconds records are kept, most accounts a day, account,
--      the account of what is over, eight sums as doubles (calls, prompt, cached, completion,
--      reasoning, cost, estimated, saved), the levels.
--
-- A hold is kept as `<at> <amount> <expected> <tokens>`, a line with the account to be charged when
-- its lease is over, and the levels. Lapsed, it is kept for a day more, behind an L, so that a late
-- settling finds what was charged.

local KEPT_LAPSED = DAY
local how, id, at = ARGV[3], ARGV[4], tonumber(ARGV[5])
local amount, claimed, used = tonumber(ARGV[6]), tonumber(ARGV[7]), tonumber(ARGV[8])
local SUMS = '>dddddddd'

-- Add to an account's eight sums; whoever is new when the day is full goes under `other`.
local function book(account, by)
  local found = sure('HGET', KEYS[4], account)
  if not found and call('HLEN', KEYS[4]) >= tonumber(ARGV[12]) then
    account = ARGV[14]
    found = call('HGET', KEYS[4], account)
  end
  local sums = {0, 0, 0, 0, 0, 0, 0, 0}
  if found and #found == 64 then
    sums = {struct.unpack(SUMS, found)}
  end
  local empty = true
  for n = 1, 8 do
    sums[n] = sums[n] + by[n]
    empty = empty and sums[n] == 0
  end
  if empty then
    call('HDEL', KEYS[4], account)
    return
  end
  call('HSET', KEYS[4], account, struct.pack(SUMS, unpack(sums, 1, 8)))
  if not found then
    call('EXPIRE', KEYS[4], ARGV[11])
  end
end

local function book_lapsed(record, sign)
  local expected, account = string.match(record, '^%d+ %d+ (%d+) %d+\n([^\n]*)')
  local cost = sign * tonumber(expected)
  book(account, {sign, 0, 0, 0, 0, cost, cost, 0})
end

-- `0 - amount` below, as a negative zero would be spelt so, which is no whole number to Redis.

-- Change an allowance, if the instant of the hold still lies in its window.
local function charge(level, a, held, settled)
  local bucket = start_of(at, a.step, a.shift)
  if bucket > a.t then
    -- The store forgot it, or nothing was held since.
    advance(level, a, at)
  end
  if a.rolling and (a.t - bucket) / a.step < RING then
    a.ring = {slot_of(a, bucket), settled, held}
  elseif a.t ~= bucket then
    return
  end
  a.h, a.s = max(0, a.h + held), max(0, a.s + settled)
end

local function change(held, settled, live, requests, tokens)
  for _, level in ipairs(read_levels(5, ARGV[16])) do
    level.live = max(0, level.live + live)
    if level.requests > 0 then
      level.next_request = level.next_request + requests * MINUTE / level.requests
    end
    if level.tokens > 0 then
      level.next_token = level.next_token + tokens * MINUTE / level.tokens
    end
    for _, a in ipairs(level.windows) do
      charge(level, a, held, settled)
    end
    write_level(level, settled ~= 0, tokens ~= 0)
    for _, a in ipairs(level.windows) do
      if a.ring then
        call('HINCRBY', level.key, a.s_field .. a.ring[1], a.ring[2])
        call('HINCRBY', level.key, a.h_field .. a.ring[1], a.ring[3])
      end
    end
  end
end

local function forget()
  call('HDEL', KEYS[1], id)
  call('ZREM', KEYS[2], id)
end

local record = sure('HGET', KEYS[1], id)
local lapsed = record and string.byte(record) == 76

if how == 'lapse' then
  local now = instant(ARGV[1])
  local lease = tonumber(sure('ZSCORE', KEYS[2], id))
  if lease and lease > now then
    return 0
  end
  if lapsed or not record then
    forget()
    return 0
  end
  call('HSET', KEYS[1], id, 'L' .. record)
  call('ZADD', KEYS[2], now + KEPT_LAPSED, id)
  change(0 - amount, tonumber(ARGV[9]), -1, 0, 0)
  book_lapsed(record, 1)
  return 1
end

if not sure('SET', KEYS[3], '', 'NX', 'EX', ARGV[10]) then
  return 0
end
local cost = tonumber(ARGV[9])
local correction = used >= 0 and used - claimed or 0
if record then
  forget()
end
if lapsed then
  local expected = tonumber(string.match(record, '^L%d+ %d+ (%d+)'))
  change(0, cost - expected, 0, 0, correction)
  book_lapsed(string.sub(record, 2), -1)
elseif record and how == 'void' then
  change(0 - amount, 0, -1, -1, -claimed)
elseif record then
  change(0 - amount, cost, -1, 0, correction)
elseif how ~= 'void' then
  local now = instant(ARGV[1])
  if how == 'settle' and ARGV[2] == '1' and now - at > ARGV[10] * 1000000 then
    -- Sent so long ago that its mark is gone: as its hold is gone too, it was done.
    return 0
  end
  at = math.min(at, now)
  change(0, cost, 0, 0, 0)
end
if how ~= 'void' then
  book(ARGV[13], {struct.unpack(SUMS, ARGV[15])})
end
return 1
