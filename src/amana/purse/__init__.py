"""The private purse: an e-cash mint that speaks Cashu."""
