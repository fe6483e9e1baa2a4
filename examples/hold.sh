#!/bin/sh
# A hotel authorises 80.00, captures 62.50, and the rest goes back to the payer.
# Needs URL, WALLET and TILL: eval "$(examples/env.sh)"
set -eu
key="example-$$-$(date +%s)"

field() { python3 -c 'import json, sys; print(json.load(sys.stdin)[sys.argv[1]])' "$1"; }
minor() { python3 -c 'import json, sys; print(json.load(sys.stdin)[sys.argv[1]]["minor"])' "$1"; }

order=$(curl --fail-with-body -s "$URL/v1/orders" -H "Authorization: Bearer $TILL" \
    -H "Idempotency-Key: $key-order" \
    --json '{"amount": {"currency": "EUR", "minor": "8000"}, "capture": "manual"}')
order_id=$(printf %s "$order" | field id)
body=$(printf %s "$order" | python3 -c '
import json, sys
order = json.load(sys.stdin)
print(json.dumps({"code": order["code"], "amount": order["amount"]}))')

curl --fail-with-body -s "$URL/v1/payments" -H "Authorization: Bearer $WALLET" \
    -H "Idempotency-Key: $key-payment" --json "$body" >/dev/null
order=$(curl --fail-with-body -s "$URL/v1/orders/$order_id" -H "Authorization: Bearer $TILL")
echo "order $(printf %s "$order" | field status)"

captured=$(curl --fail-with-body -s "$URL/v1/orders/$order_id/capture" \
    -H "Authorization: Bearer $TILL" -H "Idempotency-Key: $key-capture" \
    --json '{"amount": {"currency": "EUR", "minor": "6250"}}')
echo "captured $(printf %s "$captured" | minor captured)"
echo "released $(printf %s "$captured" | minor released)"
echo "fee $(printf %s "$captured" | minor fee)"
