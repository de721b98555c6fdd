"""`email.message`: what a mail is, for `isinstance`."""

import email

Message = EmailMessage = email.Message
