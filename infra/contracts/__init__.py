"""Keeps the promises of recorded events: schemas, examples, AsyncAPI, written and checked."""
