package main

func (r *report) charts() map[string][]byte { return map[string][]byte{} }
