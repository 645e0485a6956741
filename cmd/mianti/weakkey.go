package main

import (
	"errors"
	"fmt"
	"os"
)

// leastDistinct is how many different bytes a key must have: 48 random bytes in
// base64 have about 40, and 32 random hexadecimal digits fewer than 9 about three
// times in a million; "changeme" written over and over has them always.
const leastDistinct = 9

// checkKeys refuses keys that nobody can have drawn at random.
func (s *exchangeSettings) checkKeys() error {
	var faults []error
	for setting, file := range map[string]string{"MIANTI_SUBJECT_KEY_FILE": s.SubjectKeyFile, "MIANTI_WEBHOOK_KEY_FILE": s.WebhookKeyFile} {
		if file == "" {
			continue
		}
		key, err := os.ReadFile(file)
		if err != nil {
			faults = append(faults, fmt.Errorf("read %s: %w", setting, err))
		} else if distinct(key) < leastDistinct {
			faults = append(faults, fmt.Errorf("%s: this is no random key; make one with: openssl rand -base64 48", setting))
		}
	}
	if s.SigningKeyFile != "" {
		_, err := loadSigningKey(s.SigningKeyFile)
		faults = append(faults, err)
	}
	return errors.Join(faults...)
}

func distinct(key []byte) int {
	seen := map[byte]bool{}
	for _, b := range key {
		seen[b] = true
	}
	return len(seen)
}
