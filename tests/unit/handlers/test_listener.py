"""Why kopf ended: causes outside become words, defects stay errors."""

from __future__ import annotations

import ssl

import aiohttp
import kopf
import pytest
from kopf._cogs.clients.errors import APIForbiddenError, APINotFoundError

from presage.handlers.listener import explain_end


def _refused() -> ssl.SSLCertVerificationError:
    error = ssl.SSLCertVerificationError(1, "certificate verify failed")
    error.verify_message = "Missing Authority Key Identifier"
    return error


@pytest.mark.parametrize(
    ("error", "says"),
    [
        pytest.param(None, "ended by itself", id="no error"),
        pytest.param(APINotFoundError(None, status=404, headers={}), "answers 404", id="no body"),
        pytest.param(
            APIForbiddenError({"message": "cannot watch it"}, status=403, headers={}),  # type: ignore[typeddict-item]
            "cannot watch it",
            id="forbidden",
        ),
        pytest.param(aiohttp.ServerDisconnectedError(), "ServerDisconnectedError", id="cut off"),
        pytest.param(TimeoutError(), "TimeoutError", id="no answer"),
        pytest.param(_refused(), "PRESAGE_STRICT_CERTIFICATES", id="certificate"),
        pytest.param(kopf.LoginError("no way in"), "LoginError", id="login"),
    ],
)
def test_a_cause_outside_is_told(error: BaseException | None, says: str) -> None:
    assert says in explain_end(error)


def test_a_defect_stays_an_error() -> None:
    with pytest.raises(ZeroDivisionError):
        explain_end(ZeroDivisionError())
