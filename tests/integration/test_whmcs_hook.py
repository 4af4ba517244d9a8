"""The file for WHMCS's includes/hooks/, run by PHP with a stand-in of `add_hook`, against the real endpoint."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from tests.integration.api.serving import Served, serving

HOOK = Path(__file__).parents[2] / "docs" / "hooks" / "whmcs" / "me_status.php"
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
OTHER = "whsec_" + "B" * 32
WHMCS = """<?php
namespace WHMCS\\Database {
    // Invoice N is client N + 1000's; a database that is away where the play says so.
    class Capsule {
        public static function table($name) { return new self; }
        public function whereIn($column, $ids) {
            if (getenv('PLAY_AWAY')) { throw new \\Exception('the database is away'); }
            $this->ids = $ids; return $this;
        }
        public function pluck($column) { return array_map(function ($id) { return $id + 1000; }, $this->ids); }
        public $ids;
    }
}
namespace {
    error_reporting(E_ALL);
    ini_set('display_errors', '1');
    define('WHMCS', true);
    $hooks = [];
    function add_hook($event, $priority, $run) { global $hooks; $hooks[$event][] = $run; }
    require $argv[1];
    foreach (json_decode(stream_get_contents(STDIN), true) as [$event, $vars]) {
        foreach ($hooks[$event] as $run) {
            if ($run($vars) !== null) { echo "$event was answered"; }
        }
    }
    echo "done";
}
"""

Fire = Callable[..., str]


@pytest.fixture
def fire(tmp_path: Path) -> Fire:
    """Runs one request of WHMCS in which these events happen; gives all that PHP printed."""
    php = shutil.which("php")
    if php is None or b"curl" not in subprocess.check_output([php, "-m"]).split():
        pytest.skip("php with curl is not installed")
    script = tmp_path / "whmcs.php"
    script.write_text(WHMCS)

    def run(*events: tuple[str, object], **settings: str) -> str:
        command = [str(php), str(script), str(HOOK)]
        done = subprocess.run(command, input=json.dumps(events), env=settings, text=True, capture_output=True)
        assert (0, "") == (done.returncode, done.stderr)
        return done.stdout

    return run


@pytest.fixture
def served(database_url: str, tmp_path: Path) -> Iterator[Served]:
    """The API that has a secret for hooks."""
    with serving(tmp_path, DATABASE_URL=database_url, ME_STATUS_HOOK_SECRET=SECRET) as running:
        yield running


def at(served: Served, secret: str = SECRET) -> dict[str, str]:
    """The two settings of the file."""
    return {"ME_STATUS_URL": f"http://127.0.0.1:{served.port}/", "ME_STATUS_HOOK_SECRET": secret}


def hinted(database_url: str) -> dict[str, int]:
    """How often each WHMCS client was hinted at by the hook."""
    with psycopg.connect(database_url) as connection:
        asked = "select subject_id, hints from pipeline.hint where kind = 'client' and origin = 'whmcs'"
        return dict(connection.execute(asked).fetchall())


def test_the_clients_of_a_request_are_hinted_at_once_each(fire, served, database_url):
    """By their own id, by their invoice's, by their service's, and both of a merge; one POST for all."""
    service = {"params": {"userid": 3, "serviceid": 9, "clientsdetails": {"email": "a@example.com"}}}
    printed = fire(
        ("InvoicePaid", {"invoiceid": 1}),
        ("InvoiceCreated", {"invoiceid": "1", "status": "Unpaid"}),
        ("AddTransaction", {"userid": 2, "invoiceid": 5}),
        ("AfterModuleSuspend", service),
        ("CancellationRequest", {"userid": "2", "relid": 9, "reason": "moving", "type": "Immediate"}),
        ("AfterClientMerge", {"toUserID": 4, "fromUserID": 5}),
        **at(served),
    )
    assert "done" == printed
    assert dict.fromkeys(["1001", "2", "3", "4", "5"], 1) == hinted(database_url)


def test_a_run_that_touches_thousands_names_two_hundred(fire, served, database_url):
    """The endpoint takes no more; the next pull finds the others."""
    assert "done" == fire(*(("InvoiceCreated", {"invoiceid": n}) for n in range(1, 3001)), **at(served))
    assert 200 == len(hinted(database_url))


def test_what_names_nobody_sends_nothing(fire, served, database_url):
    """Nor does it print a word into WHMCS's page; what is not an array either."""
    odd = (None, "text", 7, {}, {"userid": "x"}, {"userid": -1}, {"params": "x"}, {"invoiceid": [1]})
    assert "done" == fire(*(("ClientEdit", vars) for vars in odd), **at(served))
    assert {} == hinted(database_url)


def test_clients_named_are_hinted_though_invoices_cannot_be_looked_up(fire, served, database_url):
    """WHMCS's own database is away."""
    events = (("InvoicePaid", {"invoiceid": 1}), ("ClientEdit", {"userid": 7}))
    assert "done" == fire(*events, **at(served), PLAY_AWAY="1")
    assert {"7": 1} == hinted(database_url)


def test_a_wrong_secret_or_none_is_borne_in_silence(fire, served, database_url):
    """Refused, or not sent at all."""
    for settings in (at(served, OTHER), at(served, ""), {}):
        assert "done" == fire(("ClientEdit", {"userid": 7}), **settings)
    assert {} == hinted(database_url)


def test_an_endpoint_that_never_answers_is_given_up(fire):
    """It takes the connection and says nothing: the request of WHMCS ends all the same, without a word."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"http://127.0.0.1:{silent.getsockname()[1]}"
        settings = {"ME_STATUS_URL": address, "ME_STATUS_HOOK_SECRET": SECRET}
        assert "done" == fire(("ClientEdit", {"userid": 7}), **settings)
    assert "done" == fire(("ClientEdit", {"userid": 7}), **settings)


def test_every_event_the_file_listens_to_is_one_without_card_data():
    """`CCUpdate` and what carries passwords stay out."""
    text = HOOK.read_text()
    assert not [name for name in ("CCUpdate", "ClientChangePassword", "UserLogin", "PayMethod") if name in text]
