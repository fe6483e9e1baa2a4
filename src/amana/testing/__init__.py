"""What tests need, for Amana and for whoever builds on it. The product never imports it."""
