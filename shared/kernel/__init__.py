"""The pure half: events, deciders, projections, audiences, personal fields. No clock, no input or output."""
