-- Renew leases of holds that are alive; returns how many leases of the root are over.
--
-- KEYS leases, holds. ARGV now (empty: this server's clock), lease, claims.

local now = instant(ARGV[1])
local until_then = now + ARGV[2]
local words = {}
for n = 3, #ARGV do
  words[2 * n - 5], words[2 * n - 4] = until_then, ARGV[n]
end
if #words > 0 then
  -- Never shorter: what has lapsed is kept for longer than a lease.
  sure('ZADD', KEYS[1], 'XX', 'GT', unpack(words))
  call('EXPIRE', KEYS[1], KEPT_HOLDS)
  call('EXPIRE', KEYS[2], KEPT_HOLDS)
end
return call('ZCOUNT', KEYS[1], '-inf', now)
