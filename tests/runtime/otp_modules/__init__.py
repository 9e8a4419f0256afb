"""Tests of what OTP's tools are answered, asked by a real Erlang node."""
