-- Leases that are over, with what is kept of their holds; at most so many.
--
-- KEYS leases, holds. ARGV now (empty: this server's clock), how many.

local ids = sure('ZRANGEBYSCORE', KEYS[1], '-inf', instant(ARGV[1]), 'LIMIT', 0, ARGV[2])
local found = {}
for _, id in ipairs(ids) do
  found[#found + 1] = id
  found[#found + 1] = call('HGET', KEYS[2], id) or ''
end
return found
