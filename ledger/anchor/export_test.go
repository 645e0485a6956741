package anchor

// VerifyChain is verifyChain, for certificates with which openssl does not sign.
var VerifyChain = verifyChain
