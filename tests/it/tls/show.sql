-- What the session's settings test.certificate and test.key hold becomes the server's certificate.
copy (select unnest(string_to_array(current_setting('test.certificate'), e'\n')))
  to program 'umask 077; cat > server.crt';
copy (select unnest(string_to_array(current_setting('test.key'), e'\n')))
  to program 'umask 077; cat > server.key';
