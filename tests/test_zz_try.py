from scc_responder.journal.account.account import account_of
from scc_responder.journal.account.account_text import account_text
from tests.kits.responder import *
from tests.kits.compromised_pod import *
from tests.kits.checkout_deployment import *

def test_try(tmp_path, cluster, pod):
    d = deployed(tmp_path, cluster, policy(*ALL))
    doc = finding_about(pod, "added_binary_executed")
    d.respond_to(doc)
    print("\n".join(account_text(account_of(d.case(doc)))))
    with run_deployed(tmp_path/"r", cluster, run_policy("capture_evidence", "roll_back_service", "cut_ingress", "notify")) as running:
        doc = escape()
        running.respond_to(doc)
        print("\n".join(account_text(account_of(running.case(doc)))))
    import json, msgspec
    print(len(json.dumps(msgspec.to_builtins(d.case(doc).decision if 0 else running.case(doc).decision["facts"]))))
