"""Is the service beside this process ready? An image's health check: `python -m shared.runtime.ready` ends
with 0, or says what the service waits for."""

import http.client
import json
import os
import sys

#: As `shared.runtime.settings` has it, which would take a second of every check to load.
PORT_VARIABLE, PORT = "FIKARUM_PORT", "7100"
_SECONDS = 4.0


def waiting_for(port: int) -> str | None:
    """Why it is not ready; None when it is."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_SECONDS)
    try:
        connection.request("GET", "/health/ready")
        answer = connection.getresponse()
        said = answer.read()
        if answer.status == http.client.OK:
            return None
        return ", ".join(str(each) for each in json.loads(said)["waiting_for"])
    except (OSError, http.client.HTTPException, ValueError, LookupError, TypeError) as error:
        return f"no answer: {error!r}"
    finally:
        connection.close()


if __name__ == "__main__":
    sys.exit(waiting_for(int(os.environ.get(PORT_VARIABLE, PORT))))
