"""Adoption: who lets their reading be counted, what they open and read, and what is measured.

Nothing that a member opens is kept until they have said that it may be counted: without a decision the answer
is no. What they do in the open (post, comment, react, acknowledge an announcement) is told by other services
and asks for no consent here: the proof that all have read an announcement never needs reading to be watched.
Who says no again is counted no more from that moment on. What they let be counted before stays, since a
figure once told must be told again; nobody but themselves can look at it, unless they let coaches see of
which kinds it is. Who is erased is marked so.

From what all services tell it makes every figure of adoption (`metrics`, docs/metrics.md): facts by member
and month are folded once, and a metric is a pure function of them.

Who is passive or new is told by name to coaches alone, for a purpose, in countries that let them
(`coaching`), and to nobody before it is written down; whoever was named can see so.

It writes `engagement.events` (contracts/engagement.py) and `engagement.private` (what members opened, whom
coaches were shown), and reads both, and what identity, groups, the feed and the wiki tell in the open. It
never asks whether somebody may see what they say they opened: it keeps kind and id, no titles and no texts.
"""
