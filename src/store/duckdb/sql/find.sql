-- Warriors by up to 32 ids ($1 to $32, which may be equal), in no order; an unknown id has no row. A list of placeholders is
-- looked up in the index of the key, one array that holds them all is not.
  from warrior
 where id in ($1::uuid, $2::uuid, $3::uuid, $4::uuid, $5::uuid, $6::uuid, $7::uuid, $8::uuid,
              $9::uuid, $10::uuid, $11::uuid, $12::uuid, $13::uuid, $14::uuid, $15::uuid, $16::uuid,
              $17::uuid, $18::uuid, $19::uuid, $20::uuid, $21::uuid, $22::uuid, $23::uuid, $24::uuid,
              $25::uuid, $26::uuid, $27::uuid, $28::uuid, $29::uuid, $30::uuid, $31::uuid, $32::uuid)
