"""`python -m services.engagement.metrics write|check`: docs/metrics.md is what the definitions say."""

import sys

from services.engagement.metrics.documentation import PATH, written


def main(arguments: list[str]) -> int:
    now = PATH.read_text(encoding="utf-8")
    match arguments:
        case ["write"]:
            PATH.write_text(written(now), encoding="utf-8")
            return 0
        case ["check"]:
            if now == written(now):
                return 0
            print(
                "docs/metrics.md is not what the definitions say: python -m services.engagement.metrics write"
            )
            return 1
    print("usage: python -m services.engagement.metrics write|check", file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
