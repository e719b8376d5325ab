"""What we think of each call; what comes again as it was is not looked at again.

A call that kept replies may answer needs no memory here: a repeated one is a hit, or follows the
one under way. The others (a temperature, `no-cache`, an explanation) do repeat, in evaluations and
in loops of agents above all. Remembered is a digest of the bytes and what was thought of them,
never the text.
"""

from collections import OrderedDict
from hashlib import blake2b

from gateway.call import Assessment, Call
from gateway.flow.parts import Parts, Rules
from gateway.route.choose import needs_exact_count

# About a kilobyte each.
REMEMBERED = 512
_DIGEST_BYTES = 16


class Assessing:
    """Assesses calls, long ones in a thread."""

    def __init__(self, parts: Parts, rules: Rules) -> None:
        self._parts = parts
        self._long = rules.thread_over
        self._remembered: OrderedDict[bytes, Assessment] = OrderedDict()

    async def assess(self, call: Call, *, repeats: bool) -> Assessment:
        """What we think of a call; `repeats`: it is worth remembering."""
        if not repeats:
            return await self._looked(call, None)
        long = len(call.body) > self._long
        in_thread, remembered = self._parts.in_thread, self._remembered
        digest: bytes = await in_thread(_digest, call) if long else _digest(call)
        seen = await self._looked(call, remembered.get(digest))
        remembered[digest] = seen
        remembered.move_to_end(digest)
        if len(remembered) > REMEMBERED:
            remembered.popitem(last=False)
        return seen

    async def _looked(self, call: Call, seen: Assessment | None) -> Assessment:
        assessor, long = self._parts.assessor, len(call.body) > self._long
        in_thread, document = self._parts.in_thread, call.looked_at()
        if seen is None:
            seen = await in_thread(assessor.assess, document) if long else assessor.assess(document)
        if not needs_exact_count(seen, call.wishes, self._parts.catalog):
            return seen
        count: int = await in_thread(assessor.count, document) if long else assessor.count(document)
        return seen._replace(text_tokens=count, text_bounds=(count, count))


def _digest(call: Call) -> bytes:
    # The APIs read the same bytes differently.
    return blake2b(call.body, digest_size=_DIGEST_BYTES, person=call.api.encode()).digest()
