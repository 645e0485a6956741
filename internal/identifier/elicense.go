package identifier

// ElicenseCheck returns the check character of an electronic licence's
// identifier (电子证照标识, GB/T 36904; ISO 7064 MOD 37,36). It is computed over
// type code, issuer code, serial number and version, joined without dots. For
// anything but digits and upper-case letters, and for nothing at all, it
// returns the zero byte.
//
// Identifiers with a wrong check character are in use: treat a difference as
// a flaw of the record, not as a forgery.
func ElicenseCheck(s string) byte {
	if s == "" {
		return 0
	}
	product := 36
	for i := range len(s) {
		value := value36(s[i])
		if value < 0 {
			return 0
		}
		product = (product + value) % 36
		if product == 0 {
			product = 36
		}
		product = product * 2 % 37
	}
	return "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"[(37-product)%36]
}

// value36 is the value of a digit or an upper-case letter, or -1.
func value36(c byte) int {
	switch {
	case '0' <= c && c <= '9':
		return int(c - '0')
	case 'A' <= c && c <= 'Z':
		return int(c-'A') + 10
	default:
		return -1
	}
}
