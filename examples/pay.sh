#!/bin/sh
# A till asks for 12.50, a wallet pays by the code, the till sees it paid.
# Needs URL, WALLET and TILL: eval "$(examples/env.sh)"
set -eu
money='{"currency": "EUR", "minor": "1250"}'
key="example-$$-$(date +%s)"

# Reads one field of a JSON answer.
field() { python3 -c 'import json, sys; print(json.load(sys.stdin)[sys.argv[1]])' "$1"; }

order=$(curl --fail-with-body -s "$URL/v1/orders" -H "Authorization: Bearer $TILL" \
    -H "Idempotency-Key: $key-order" --json "{\"amount\": $money, \"reference\": \"two loaves\"}")
order_id=$(printf %s "$order" | field id)
code=$(printf %s "$order" | field code)
echo "order $(printf %s "$order" | field status)"

# The code is text in many scripts; Python puts it into JSON.
body=$(CODE=$code MONEY=$money python3 -c '
import json, os
print(json.dumps({"code": os.environ["CODE"], "amount": json.loads(os.environ["MONEY"])}))')
payment=$(curl --fail-with-body -s "$URL/v1/payments" -H "Authorization: Bearer $WALLET" \
    -H "Idempotency-Key: $key-payment" --json "$body")
echo "payment $(printf %s "$payment" | field status)"

# The answer got lost? Ask again with the same key: the same payment, not another.
again=$(curl --fail-with-body -s "$URL/v1/payments" -H "Authorization: Bearer $WALLET" \
    -H "Idempotency-Key: $key-payment" --json "$body")
test "$(printf %s "$again" | field id)" = "$(printf %s "$payment" | field id)"
echo "asked again: the same payment"

order=$(curl --fail-with-body -s "$URL/v1/orders/$order_id" -H "Authorization: Bearer $TILL")
echo "order $(printf %s "$order" | field status)"
