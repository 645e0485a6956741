package main

import (
	"context"
	"fmt"
	"log/slog"

	"mianti/catalog"
	"mianti/connectors"
	"mianti/connectors/secret"
)

// secretMissing is the code of a secret that cannot be had.
const secretMissing = "secret-missing"

// secretCheck reports every secret that a source names and that is not there.
func secretCheck(secrets connectors.Secrets) catalog.SourceCheck {
	return func(_ *catalog.Dataset, s *catalog.Source) []catalog.SourceFault {
		var faults []catalog.SourceFault
		for _, named := range s.SecretRefs() {
			if _, err := secrets.Secret(named.Ref); err != nil {
				faults = append(faults, catalog.SourceFault{At: named.At, Code: secretMissing, Reason: missingText(named.Ref, err)})
			}
		}
		return faults
	}
}

// missingText names both places in which a secret is looked for.
func missingText(ref catalog.SecretRef, err error) string {
	return fmt.Sprintf("取不到密钥 %s：MIANTI_SECRETS_DIR 文件夹中的文件 %[1]s 和环境变量 %s 都看过（%v）", ref, secret.Variable(ref), err)
}

// warnOfSecrets tells the operator of every secret that is missing. The exchange
// runs on: one department's secret does not stop the others.
func warnOfSecrets(ctx context.Context, log *slog.Logger, rev *catalog.Revision, secrets connectors.Secrets) {
	check := secretCheck(secrets)
	for _, dataset := range rev.Datasets() {
		for i := range dataset.Sources {
			source := &dataset.Sources[i]
			for _, f := range check(dataset, source) {
				log.LogAttrs(ctx, slog.LevelWarn, "a secret is missing: the source cannot be asked",
					slog.String("source", source.Code), slog.String("code", f.Code), slog.String("reason", f.Reason))
			}
		}
	}
}
