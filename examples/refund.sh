#!/bin/sh
# A purchase of 30.00 is given back in two parts; a third is refused, since nothing is left.
# Needs URL, WALLET and TILL: eval "$(examples/env.sh)"
set -eu
key="example-$$-$(date +%s)"

field() { python3 -c 'import json, sys; print(json.load(sys.stdin)[sys.argv[1]])' "$1"; }

order=$(curl --fail-with-body -s "$URL/v1/orders" -H "Authorization: Bearer $TILL" \
    -H "Idempotency-Key: $key-order" --json '{"amount": {"currency": "EUR", "minor": "3000"}}')
order_id=$(printf %s "$order" | field id)
body=$(printf %s "$order" | python3 -c '
import json, sys
order = json.load(sys.stdin)
print(json.dumps({"code": order["code"], "amount": order["amount"]}))')
curl --fail-with-body -s "$URL/v1/payments" -H "Authorization: Bearer $WALLET" \
    -H "Idempotency-Key: $key-payment" --json "$body" >/dev/null

refund() {
    curl -s "$URL/v1/orders/$order_id/refunds" -H "Authorization: Bearer $TILL" \
        -H "Idempotency-Key: $key-refund-$1" --json "$2"
}
echo "first part $(refund 1 '{"amount": {"currency": "EUR", "minor": "1000"}}' | field status)"
# Without an amount, all that is left.
echo "second part $(refund 2 '{}' | field status)"
problem=$(refund 3 '{"amount": {"currency": "EUR", "minor": "1"}}' | field type)
echo "third part refused: ${problem##*/}"
