"""When a server counts as one that answers."""

from __future__ import annotations

import pytest

from scc_responder.adapters.kubernetes.answering import PROMPT_SECONDS, SLOW_SECONDS, Answering


def test_a_server_answers_once_it_has() -> None:
    """Not before its first answer, and not after a request that got none."""
    server = Answering()
    assert server.goes_on is None
    with server.asked():
        assert server.goes_on is None
    assert server.goes_on is True
    with pytest.raises(OSError, match="gone"), server.asked():
        raise OSError("gone")
    assert server.goes_on is False
    with server.asked():
        pass
    assert server.goes_on


def test_a_request_that_waits_for_long_speaks_against_it() -> None:
    """Until it is over, whatever else is answered meanwhile."""
    now = [0.0]
    server = Answering(lambda: now[0])
    with server.asked():
        now[0] += SLOW_SECONDS / 2
        with server.asked():
            pass
        assert server.goes_on
        now[0] += SLOW_SECONDS
        assert server.goes_on is False
    assert server.goes_on


def test_an_answer_counts_since_a_moment() -> None:
    """One from before does not, nor does any while a request waits for a second."""
    now = [10.0]
    server = Answering(lambda: now[0])
    assert not server.has_answered(float("-inf"))
    with server.asked():
        pass
    assert (server.has_answered(10.0), server.has_answered(10.1)) == (True, False)
    with server.asked():
        now[0] += PROMPT_SECONDS / 2
        assert server.has_answered(10.0)
        now[0] += PROMPT_SECONDS
        with server.asked():
            pass
        assert not server.has_answered(10.0)
    assert server.has_answered(10.0)
    with pytest.raises(OSError, match="gone"), server.asked():
        raise OSError("gone")
    assert not server.has_answered(10.0)
