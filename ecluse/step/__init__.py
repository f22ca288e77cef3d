"""The guarded step: pin, compute, write candidate, check, quarantine, account, attest, decide, publish, report."""
