"""What every web page of miqanet shares: sessions, CSRF, security headers, limits, errors, the image viewer."""
