"""How much may be disrupted: which limits count a target, and which breaker holds it. Pure.

In: the stored ledgers and one request. Out: a denial with its scope, or the breaker that holds it. `../ledger.py` puts
them together; read `ledger_document.py` first.
"""
